import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLogger, type Logger, silentLogger } from '#base/log.ts';
import { Journal, MAX_PENDING_ENTRIES, readJournal } from '#autoscaler/journal.ts';
import type { JournalEntry } from '#autoscaler/journal-entry.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const KEY = 'default/a-00001';
const REF = { namespace: 'default', name: 'a-00001' };

async function temporaryDir(context: TestContext): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'journal-'));
  context.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function traffic(at: number, seconds = 1): JournalEntry {
  const values = Array.from({ length: seconds }, () => 1);
  return { type: 'traffic', at, concurrency: values, requests: values };
}

test('what is recorded is there to be read, in order, and after a restart, too', async (context) => {
  const dir = await temporaryDir(context);
  const clock = new FakeClock();
  const { logger, lines } = countingLogger();
  for (const life of [0, 1]) {
    await using journal = new Journal({ dir, clock, logger });
    for (let count = 0; count < 3; count += 1) journal.record(KEY, traffic(life * 10 + count));
  }
  const entries = await readJournal(dir, REF);
  assert.deepEqual(
    entries.map(({ at }) => at),
    [0, 1, 2, 10, 11, 12],
  );
  assert.deepEqual(entries[0], traffic(0));
  assert.deepEqual(lines, []);
});

test('only what is new enough is answered', async (context) => {
  const dir = await temporaryDir(context);
  await using journal = new Journal({ dir, clock: new FakeClock(), logger: silentLogger });
  for (const at of [10, 20, 30]) journal.record(KEY, traffic(at));
  await journal.flush();
  assert.equal((await readJournal(dir, REF, 20)).length, 2);
});

test('nothing is written before a second is over', async (context) => {
  const dir = await temporaryDir(context);
  const clock = new FakeClock();
  await using journal = new Journal({ dir, clock, logger: silentLogger });
  journal.record(KEY, traffic(1));
  await clock.advance(900);
  assert.deepEqual(await readdir(dir), []);
  await clock.advance(200);
  await journal.flush();
  assert.equal((await readJournal(dir, REF)).length, 1);
});

test('revisions do not share a file', async (context) => {
  const dir = await temporaryDir(context);
  await using journal = new Journal({ dir, clock: new FakeClock(), logger: silentLogger });
  journal.record(KEY, traffic(1));
  journal.record('other/a-00001', traffic(2));
  journal.record('default/b-00001', traffic(3));
  await journal.flush();
  assert.deepEqual(await readJournal(dir, REF), [traffic(1)]);
  assert.deepEqual(await readJournal(dir, { namespace: 'other', name: 'a-00001' }), [traffic(2)]);
});

test('a revision without a journal has no entries', async (context) => {
  assert.deepEqual(await readJournal(await temporaryDir(context), REF), []);
});

test('a file that is full is put aside, and at most two are kept', async (context) => {
  const dir = await temporaryDir(context);
  await using journal = new Journal({ dir, clock: new FakeClock(), logger: silentLogger, maxFileBytes: 1_000 });
  for (let at = 0; at < 100; at += 1) {
    journal.record(KEY, traffic(at, 5));
    await journal.flush();
  }
  const files = await readdir(path.join(dir, 'default'));
  assert.deepEqual(files.sort(), ['a-00001.jsonl', 'a-00001.old.jsonl']);
  for (const file of files) assert.ok((await stat(path.join(dir, 'default', file))).size <= 1_000);
  const entries = await readJournal(dir, REF);
  assert.equal(entries.at(-1)?.at, 99);
  const first = entries[0]?.at ?? 0;
  assert.ok(first > 0);
  assert.deepEqual(
    entries.map(({ at }) => at),
    Array.from({ length: 100 - first }, (_, index) => first + index),
  );
});

test('a file that another life filled is put aside as well', async (context) => {
  const dir = await temporaryDir(context);
  const options = { dir, clock: new FakeClock(), logger: silentLogger, maxFileBytes: 1_000 };
  for (let life = 0; life < 30; life += 1) {
    await using journal = new Journal(options);
    journal.record(KEY, traffic(life, 20));
  }
  const files = await readdir(path.join(dir, 'default'));
  for (const file of files) assert.ok((await stat(path.join(dir, 'default', file))).size <= 1_000);
});

test('beyond the limit of all, what was not written to for longest goes', async (context) => {
  const dir = await temporaryDir(context);
  await using journal = new Journal({
    dir,
    clock: new FakeClock(),
    logger: silentLogger,
    maxFileBytes: 1_000,
    maxJournalBytes: 5_000,
  });
  for (let index = 0; index < 20; index += 1) {
    for (let count = 0; count < 8; count += 1) {
      journal.record(`default/r${index}`, traffic(index, 20));
      await journal.flush();
    }
  }
  let total = 0;
  for (const file of await readdir(path.join(dir, 'default')))
    total += (await stat(path.join(dir, 'default', file))).size;
  assert.ok(total <= 7_000, `${total}`);
  assert.ok((await readJournal(dir, { namespace: 'default', name: 'r19' })).length > 0);
  assert.equal((await readJournal(dir, { namespace: 'default', name: 'r0' })).length, 0);
});

test('what another life left beyond the limit goes with the first entry', async (context) => {
  const dir = await temporaryDir(context);
  const options = { dir, clock: new FakeClock(), logger: silentLogger };
  {
    await using journal = new Journal(options);
    for (let index = 0; index < 10; index += 1) journal.record(`default/r${index}`, traffic(index, 50));
  }
  await using journal = new Journal({ ...options, maxJournalBytes: 1_000 });
  journal.record(KEY, traffic(1));
  await journal.flush();
  assert.ok((await readdir(path.join(dir, 'default'))).length < 6);
});

test('a line that a crash cut off is left out', async (context) => {
  const dir = await temporaryDir(context);
  {
    await using journal = new Journal({ dir, clock: new FakeClock(), logger: silentLogger });
    journal.record(KEY, traffic(1));
  }
  await appendFile(path.join(dir, 'default', 'a-00001.jsonl'), '{"type":"traf');
  assert.deepEqual(await readJournal(dir, REF), [traffic(1)]);
});

function countingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  return { logger: createLogger({ clock: new FakeClock(), level: 'warn', write: (line) => lines.push(line) }), lines };
}

test('where nothing can be written entries are lost, and that is told', async (context) => {
  const dir = await temporaryDir(context);
  await writeFile(path.join(dir, 'default'), 'a file where a directory should be');
  const { logger, lines } = countingLogger();
  await using journal = new Journal({ dir, clock: new FakeClock(), logger });
  journal.record(KEY, traffic(1));
  await journal.flush();
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? '', /"count":1/);
});

test('only so many entries wait', async (context) => {
  const dir = await temporaryDir(context);
  const { logger, lines } = countingLogger();
  await using journal = new Journal({ dir, clock: new FakeClock(), logger, maxFileBytes: 2 ** 30 });
  for (let at = 0; at < MAX_PENDING_ENTRIES + 7; at += 1) journal.record(KEY, traffic(at));
  await journal.flush();
  assert.equal((await readJournal(dir, REF)).length, MAX_PENDING_ENTRIES);
  assert.match(lines[0] ?? '', /"count":7/);
});
