import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastErrorIn } from '#runtime/drivers/runtime-log.ts';

const line = (level: string, msg: string) => JSON.stringify({ level, msg, time: '2026-01-01T00:00:00Z' });

const logs: [name: string, log: string, error: string | undefined][] = [
  ['nothing', '', undefined],
  ['blank lines', '\n\n', undefined],
  ['an error', `${line('error', 'why')}\n`, 'why'],
  ['the last of several', `${line('error', 'first')}\n${line('error', 'last')}\n`, 'last'],
  ['an error before a warning', `${line('error', 'why')}\n${line('warning', 'mind')}\n`, 'why'],
  ['warnings alone', `${line('warning', 'mind')}\n`, undefined],
  ['plain text', 'broken pipe\n', 'broken pipe'],
];

for (const [name, log, error] of logs) {
  test(`a runtime's log with ${name}: ${error ?? 'no error'}`, () => {
    assert.equal(lastErrorIn(log), error);
  });
}
