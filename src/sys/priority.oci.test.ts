import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { runAhead, runOrdinarily } from '#sys/priority.ts';

test('every thread of the process runs ahead, and one goes back by itself', () => {
  runAhead();
  const threads = readdirSync('/proc/self/task').map(Number);
  assert.ok(threads.length > 1);
  assert.deepEqual([...new Set(threads.map((thread) => getPriority(thread)))], [-10]);
  runOrdinarily();
  assert.equal(getPriority(process.pid), 0);
  assert.ok(threads.some((thread) => getPriority(thread) === -10));
  for (const thread of threads) assert.ok([-10, 0].includes(getPriority(thread)));
});
