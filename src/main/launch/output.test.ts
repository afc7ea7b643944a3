import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

test('a full disk loses lines of the log, not the process that writes them', () => {
  const code = `
    import { writeLog, writeRequestLog } from ${JSON.stringify(path.join(import.meta.dirname, 'output.ts'))};
    for (let i = 0; i < 3; i += 1) {
      writeLog('line');
      writeRequestLog('line\\n');
      await new Promise(setImmediate);
    }
    process.exitCode = 7;
  `;
  const full = openSync('/dev/full', 'w');
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', full, full],
  });
  closeSync(full);
  assert.equal(status, 7);
});
