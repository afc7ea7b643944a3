/**
 * The worker thread behind `sqlite-log.ts`: owns the database file, commits one batch per message.
 *
 * WAL with synchronous=FULL: a commit has been fsynced when it is acknowledged. One row per object, so that nothing
 * has to be compacted; the reservation of revisions lives in `meta`.
 *
 * Rows lie in the order of their revisions: what is written together lies together, so a batch fills a few pages
 * instead of touching one for each key (with pages of 16 KB twice as many writes a second as by key with SQLite's
 * own 4 KB). Which revision an object's row has is kept here in memory.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '#base/assert.ts';
import type { LogRow } from '#store/log.ts';

export type LogRequest =
  | { readonly type: 'load' }
  | { readonly type: 'commit'; readonly rows: readonly LogRow[]; readonly reserved: number }
  | { readonly type: 'close' };

export type LogResponse =
  | { readonly type: 'content'; readonly rows: LogRow[]; readonly reserved: number }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly message: string; readonly diskFull: boolean };

const SQLITE_FULL = 13;
const PAGE_BYTES = 16_384;
/** Of the tables' layout, kept in the file. */
const LAYOUT = 1;
const TABLES = `
  CREATE TABLE object (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;`;
/** Files without a layout have their rows by key. */
const FROM_KEYED_ROWS = `
  ALTER TABLE object RENAME TO keyed;
  CREATE TABLE object (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL);
  INSERT INTO object SELECT revision, key, value FROM keyed ORDER BY revision;
  DROP TABLE keyed;`;
const port = parentPort;
assert(port, 'sqlite-worker runs as a worker thread');

const database = new DatabaseSync((workerData as { file: string }).file);
prepareFile();
const put = database.prepare('INSERT INTO object (revision, key, value) VALUES (?, ?, ?)');
const remove = database.prepare('DELETE FROM object WHERE revision = ?');
const reserve = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('reserved', ?)");
const revisionOf = new Map<string, number>();

port.on('message', (request: LogRequest) => {
  port.postMessage(answer(request));
  if (request.type === 'close') port.close();
});

function prepareFile(): void {
  // Before the file has pages; one that has keeps the size of its own.
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  const { user_version: layout } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (layout === LAYOUT) return;
  if (layout > LAYOUT) throw new Error(`the store was written by a later version (layout ${layout})`);
  const isNew = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'object'").get() === undefined;
  database.exec(`BEGIN IMMEDIATE; ${isNew ? TABLES : FROM_KEYED_ROWS} PRAGMA user_version = ${LAYOUT}; COMMIT`);
}

function answer(request: LogRequest): LogResponse {
  try {
    if (request.type === 'load') return load();
    if (request.type === 'commit') commit(request.rows, request.reserved);
    else database.close();
    return { type: 'done' };
  } catch (error) {
    return failed(error);
  }
}

function load(): LogResponse {
  const rows = database.prepare('SELECT key, revision, value FROM object').all() as unknown as LogRow[];
  for (const { key, revision } of rows) revisionOf.set(key, revision);
  const meta = database.prepare("SELECT value FROM meta WHERE name = 'reserved'").get() as
    | { value: number }
    | undefined;
  return { type: 'content', rows, reserved: meta?.value ?? 0 };
}

function commit(rows: readonly LogRow[], reserved: number): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const row of rows) replace(row);
    reserve.run(reserved);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  for (const { key, revision, value } of rows) {
    if (value === null) revisionOf.delete(key);
    else revisionOf.set(key, revision);
  }
}

function replace({ key, revision, value }: LogRow): void {
  const earlier = revisionOf.get(key);
  if (earlier !== undefined) remove.run(earlier);
  if (value !== null) put.run(revision, key, value);
}

function failed(error: unknown): LogResponse {
  const { message, errcode } = error as Error & { errcode?: number };
  return { type: 'failed', message, diskFull: errcode === SQLITE_FULL };
}
