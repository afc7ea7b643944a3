import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostClaims } from '#ingress/host-claims.ts';

function start() {
  const claims = new HostClaims();
  return {
    claim: (key: string, ...hosts: string[]) => {
      const { granted, released } = claims.claim(key, new Set(hosts));
      return { granted, released: [...released] };
    },
    release: (key: string) => [...claims.release(key)],
  };
}

const YES = { granted: true, released: [] };
const NO = { granted: false, released: [] };

test('the first has the host, whoever asks later waits until it goes', () => {
  const { claim, release } = start();
  assert.deepEqual(claim('a', 'x'), YES);
  assert.deepEqual(claim('b', 'x'), NO);
  assert.deepEqual(claim('a', 'x'), YES);
  assert.deepEqual(release('a'), ['b']);
  assert.deepEqual(claim('b', 'x'), YES);
});

test('all or nothing: who waits for one host takes no other', () => {
  const { claim } = start();
  claim('a', 'x');
  assert.deepEqual(claim('b', 'x', 'y'), NO);
  assert.deepEqual(claim('c', 'y'), YES);
});

test('a host that is given up calls those who waited for it', () => {
  const { claim } = start();
  claim('a', 'x', 'y');
  claim('b', 'x');
  claim('c', 'y');
  assert.deepEqual(claim('a', 'y'), { granted: true, released: ['b'] });
});

test('who is refused keeps what it had', () => {
  const { claim } = start();
  claim('a', 'x');
  claim('b', 'y');
  assert.deepEqual(claim('b', 'y', 'x'), NO);
  assert.deepEqual(claim('c', 'y'), NO);
});

test('who no longer wants a host no longer waits for it', () => {
  const { claim, release } = start();
  claim('a', 'x');
  claim('b', 'x');
  claim('b', 'z');
  assert.deepEqual(release('a'), []);
  claim('c', 'z');
  assert.deepEqual(release('c'), []);
});
