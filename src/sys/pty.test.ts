import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { ReadStream } from 'node:tty';
import { makeRaw, openPty, setWindowSize, windowSize } from '#sys/pty.ts';
import { eventually } from '#testing/eventually.ts';

test('what is written to a terminal echoes and reaches the process behind it', async () => {
  const pty = openPty({ rows: 24, columns: 80 });
  assert.equal(readlinkSync(`/proc/self/fd/${pty.slave}`), pty.name);
  const child = spawn('sh', ['-c', 'stty size; read line; echo "got $line"'], {
    stdio: [pty.slave, pty.slave, pty.slave],
  });
  closeSync(pty.slave);
  const terminal = new ReadStream(pty.master);
  // A master whose last slave has closed reports an I/O error rather than an end.
  terminal.on('error', () => {});
  let seen = '';
  terminal.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await eventually(() => seen.includes('24 80'));
  setWindowSize(pty.master, { rows: 50, columns: 132 });
  assert.deepEqual(windowSize(pty.master), { rows: 50, columns: 132 });
  terminal.write('hello\n');
  await once(child, 'exit');
  await eventually(() => seen.includes('got hello'), { what: `echo in ${JSON.stringify(seen)}` });
  assert.match(seen, /hello\r\n.*got hello\r\n/s);
  terminal.destroy();
});

test('a raw terminal passes every byte on, and echoes nothing', async () => {
  const pty = openPty();
  makeRaw(pty.slave);
  const slave = new ReadStream(pty.slave);
  const master = new ReadStream(pty.master);
  const [typed, echoed]: string[][] = [[], []];
  slave.on('data', (chunk: Buffer) => typed?.push(chunk.toString()));
  master.on('data', (chunk: Buffer) => echoed?.push(chunk.toString()));
  master.write('a\r\u0003\u0004');
  await eventually(() => typed?.join('') === 'a\r\u0003\u0004');
  slave.write('b\n');
  await eventually(() => echoed?.join('') === 'b\n');
  slave.destroy();
  master.destroy();
});
