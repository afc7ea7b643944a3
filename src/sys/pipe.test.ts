import assert from 'node:assert/strict';
import { readFileSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { hasCode } from '#sys/errors.ts';
import { closeDescriptor, O_CLOEXEC } from '#sys/libc.ts';
import { openPipe, setNonBlocking } from '#sys/pipe.ts';

test('what goes into a pipe comes out, and neither end is inherited by accident', () => {
  const { readEnd, writeEnd } = openPipe();
  for (const fd of [readEnd, writeEnd]) {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
    assert.ok(Number.parseInt(flags, 8) & O_CLOEXEC, `flags ${flags}`);
  }
  writeSync(writeEnd, 'through');
  closeDescriptor(writeEnd);
  const bytes = Buffer.alloc(16);
  assert.equal(bytes.toString('utf8', 0, readSync(readEnd, bytes)), 'through');
  assert.equal(readSync(readEnd, bytes), 0);
  closeDescriptor(readEnd);
});

test('a descriptor that does not block says so instead of waiting', () => {
  const { readEnd, writeEnd } = openPipe();
  setNonBlocking(readEnd);
  assert.throws(
    () => readSync(readEnd, Buffer.alloc(1)),
    (error) => hasCode(error, 'EAGAIN'),
  );
  closeDescriptor(readEnd);
  closeDescriptor(writeEnd);
});
