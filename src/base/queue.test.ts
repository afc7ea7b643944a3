import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedQueue } from '#base/queue.ts';

test('a full queue refuses, and says so', () => {
  const queue = new BoundedQueue<number>(2);
  assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [true, true, false]);
  assert.equal(queue.size, 2);
});

test('items come out in order, also to a consumer that waits', async () => {
  const queue = new BoundedQueue<number>(10);
  const seen: number[] = [];
  const consumer = (async () => {
    for await (const item of queue) seen.push(item);
  })();
  queue.push(1);
  await new Promise((resolve) => setImmediate(resolve));
  queue.push(2);
  queue.push(3);
  queue.close();
  await consumer;
  assert.deepEqual(seen, [1, 2, 3]);
});

test('close lets the consumer drain what is there', async () => {
  const queue = new BoundedQueue<number>(10);
  queue.push(1);
  queue.close();
  assert.equal(queue.push(2), false);
  const seen: number[] = [];
  for await (const item of queue) seen.push(item);
  assert.deepEqual(seen, [1]);
});
