import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHostName, withBlock, withoutBlock } from '#runtime/hosts/block.ts';

const ETC = '127.0.0.1 localhost\n# mine\n10.0.0.1\tother  # kept\n';
const block = (instance: string, ...hosts: string[]) => ({ instance, address: '127.0.0.1', hosts });

test('a block is added at the end, replaced in place of itself, and taken away without a trace', () => {
  const one = withBlock(ETC, block('aa', 'b.default.localhost', 'a.default.localhost', 'b.default.localhost'));
  assert.ok(one.startsWith(ETC));
  assert.deepEqual(one.slice(ETC.length).split('\n').slice(1, 3), [
    '127.0.0.1 a.default.localhost',
    '127.0.0.1 b.default.localhost',
  ]);
  assert.equal(withBlock(one, block('aa', 'b.default.localhost', 'a.default.localhost')), one);
  assert.equal(withoutBlock(one, 'aa'), ETC);
  assert.equal(withBlock(one, block('aa')), ETC);
});

test('two platforms never touch each other', () => {
  const both = withBlock(withBlock(ETC, block('aa', 'a.localhost')), block('bb', 'b.localhost'));
  const onlyB = withoutBlock(both, 'aa');
  assert.ok(onlyB.includes('b.localhost') && !onlyB.includes('a.localhost'));
  assert.equal(withoutBlock(onlyB, 'bb'), ETC);
});

test('an instance whose name begins like another is not mistaken for it', () => {
  const both = withBlock(withBlock(ETC, block('aa1', 'x.localhost')), block('aa', 'y.localhost'));
  assert.ok(withoutBlock(both, 'aa').includes('x.localhost'));
});

test('a file without a final newline gets one; a block cut off by hand is still found', () => {
  assert.ok(withBlock('127.0.0.1 localhost', block('aa', 'a.localhost')).startsWith('127.0.0.1 localhost\n# BEGIN'));
  const cut = withBlock(ETC, block('aa', 'a.localhost')).replace('# END pinnace aa\n', '192.168.0.1\tmine\n');
  assert.equal(withoutBlock(cut, 'aa'), `${ETC}192.168.0.1\tmine\n`);
});

test('what is no host name is never written', () => {
  for (const evil of [
    'a b',
    'a\n10.0.0.1 bank.example',
    '*.localhost',
    '',
    '-a',
    'a..b',
    'A.localhost',
    `${'a'.repeat(64)}.x`,
  ]) {
    assert.ok(!isHostName(evil), evil);
    assert.equal(withBlock(ETC, block('aa', evil)), ETC);
  }
});
