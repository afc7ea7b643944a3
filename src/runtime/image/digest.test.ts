import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainId, Digester, digestOf, isDigest } from '#runtime/image/digest.ts';

test('only sha256 and sha512 in lower-case hex are digests', () => {
  assert.ok(isDigest(`sha256:${'0'.repeat(64)}`));
  assert.ok(isDigest(`sha512:${'f'.repeat(128)}`));
  for (const text of [
    '',
    'sha256:',
    `sha256:${'0'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `md5:${'0'.repeat(32)}`,
    5,
  ]) {
    assert.ok(!isDigest(text), String(text));
  }
});

test('a digester uses the algorithm of the digest that it is compared with', () => {
  const hash = new Digester(`sha512:${'0'.repeat(128)}`);
  hash.update(Buffer.from('abc'));
  assert.match(hash.finish(), /^sha512:ddaf35a1/);
});

test('the chain of one layer is its diff id; further layers are hashed on', () => {
  const [first, second] = [digestOf('1'), digestOf('2')];
  assert.equal(chainId([]), undefined);
  assert.equal(chainId([first]), first);
  assert.equal(chainId([first, second]), digestOf(`${first} ${second}`));
});
