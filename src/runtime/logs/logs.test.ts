import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogFile, logFilesOf } from '#runtime/logs/log-file.ts';
import { formatNanoTime, LineSplitter, MAX_TEXT_BYTES, parseRecord } from '#runtime/logs/lines.ts';
import { type LogOptions, readLog } from '#runtime/logs/log-reader.ts';

const T = Date.UTC(2026, 0, 1);
const never = new AbortController().signal;

function folder(): { file: string } & Disposable {
  const name = mkdtempSync(path.join(tmpdir(), 'pinnace-logs-'));
  return { file: path.join(name, 'app', '0.log'), [Symbol.dispose]: () => rmSync(name, { recursive: true }) };
}

async function read(file: string, options: LogOptions = {}, live?: LogFile, signal = never): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of readLog({ file, live }, options, signal)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('a record holds time, stream and text, and is read back', () => {
  const record = new LineSplitter('stderr').feed(Buffer.from('hello world\n'), T + 0.25);
  assert.equal(record.toString(), '2026-01-01T00:00:00.000250000Z stderr F hello world\n');
  const parsed = parseRecord(record.subarray(0, -1));
  assert.deepEqual([parsed?.stream, parsed?.isPartial, parsed?.text.toString()], ['stderr', false, 'hello world']);
  assert.equal(formatNanoTime(T + 1.5), '2026-01-01T00:00:00.001500000Z');
  assert.equal(parseRecord(Buffer.from('garbage')), undefined);
});

test('however output is cut into chunks, the same text comes back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 40_000 }), { maxLength: 6 }),
      fc.array(fc.nat(50_000), { maxLength: 8 }),
      (lines, cuts) => {
        using f = folder();
        const text = Buffer.from(lines.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''));
        using log = new LogFile(f.file);
        const splitter = new LineSplitter('stdout');
        const points = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        for (let index = 1; index < points.length; index += 1)
          log.append(splitter.feed(text.subarray(points[index - 1], points[index]), T));
        log.append(splitter.end(T));
        const records = readFileSync(f.file).toString('latin1').split('\n');
        assert.ok(records.every((record) => record.length <= MAX_TEXT_BYTES + 64));
      },
    ),
    { numRuns: 50 },
  );
});

async function written(file: string, count: number, limit?: number): Promise<LogFile> {
  const log = new LogFile(file, limit);
  const splitter = new LineSplitter('stdout');
  for (let index = 1; index <= count; index += 1)
    log.append(splitter.feed(Buffer.from(`line ${index}\n`), T + index * 1_000));
  return log;
}

test('tail, since, timestamps and a limit of bytes', async () => {
  using f = folder();
  using _log = await written(f.file, 5);
  assert.equal(await read(f.file), 'line 1\nline 2\nline 3\nline 4\nline 5\n');
  assert.equal(await read(f.file, { tailLines: 2 }), 'line 4\nline 5\n');
  assert.equal(await read(f.file, { tailLines: 0 }), '');
  assert.equal(await read(f.file, { tailLines: 99 }), 'line 1\nline 2\nline 3\nline 4\nline 5\n');
  assert.equal(await read(f.file, { sinceMs: T + 4_000 }), 'line 4\nline 5\n');
  assert.equal(await read(f.file, { tailLines: 1, timestamps: true }), '2026-01-01T00:00:05.000000000Z line 5\n');
  assert.equal(await read(f.file, { limitBytes: 10 }), 'line 1\nlin');
  assert.equal(await read(f.file, { stream: 'stderr' }), '');
});

test('the tail is found across large files and rotations', async () => {
  using f = folder();
  using _log = await written(f.file, 20_000, 300_000);
  assert.ok(logFilesOf(f.file).length > 2);
  for (const lines of [1, 100, 9_000, 15_000]) {
    const text = await read(f.file, { tailLines: lines });
    const all = text.trimEnd().split('\n');
    assert.equal(all.length, lines);
    assert.equal(all[0], `line ${20_001 - lines}`);
    assert.equal(all.at(-1), 'line 20000');
  }
});

test('a long line is one line: of the tail, and with one timestamp', async () => {
  using f = folder();
  using log = new LogFile(f.file);
  const splitter = new LineSplitter('stdout');
  log.append(splitter.feed(Buffer.from(`short\n${'x'.repeat(40_000)}\n`), T));
  assert.equal(await read(f.file, { tailLines: 1 }), `${'x'.repeat(40_000)}\n`);
  assert.equal((await read(f.file, { tailLines: 1, timestamps: true })).length, 40_001 + 31);
});

test('rotation keeps five files and no line is torn', async () => {
  using f = folder();
  using _log = await written(f.file, 3_000, 5_000);
  const files = logFilesOf(f.file);
  assert.equal(files.length, 5);
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
  assert.ok(lines.every((line) => / stdout F line \d+$/.test(line)));
  assert.ok(lines.at(-1)?.endsWith('line 3000'));
});

test('a follower gets everything, across rotations, and ends with the log', async () => {
  using f = folder();
  const log = new LogFile(f.file, 2_000);
  const splitter = new LineSplitter('stdout');
  log.append(splitter.feed(Buffer.from('first\n'), T));
  const following = read(f.file, {}, log);
  for (let index = 0; index < 500; index += 1) {
    log.append(splitter.feed(Buffer.from(`${index}\n`), T));
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  log[Symbol.dispose]();
  const lines = (await following).trimEnd().split('\n');
  assert.deepEqual(lines, ['first', ...Array.from({ length: 500 }, (_, index) => String(index))]);
});

test('a follower that goes away stops at once', async () => {
  using f = folder();
  using log = await written(f.file, 1);
  const stop = new AbortController();
  const following = read(f.file, {}, log, stop.signal);
  stop.abort();
  assert.equal(await following, 'line 1\n');
});
