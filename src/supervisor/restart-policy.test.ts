import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRestart } from '#supervisor/restart-policy.ts';

const ROWS = [
  ['a process that lived starts again at once', 60_000, 4, 0, 0],
  ['the first fast crash is forgiven', 10, 0, 0, 1],
  ['so is the fifth', 10, 4, 0, 5],
  ['the sixth waits', 10, 5, 50, 6],
  ['and each after it twice as long', 10, 8, 400, 9],
  ['up to a limit', 1_999, 60, 5_000, 61],
  ['having lived for a while clears the record', 2_000, 60, 0, 0],
] as const;

for (const [name, livedMs, before, delayMs, fastCrashes] of ROWS) {
  test(name, () => assert.deepEqual(decideRestart(livedMs, before), { delayMs, fastCrashes }));
}
