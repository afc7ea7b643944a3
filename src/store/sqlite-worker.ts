/**
 * The worker thread behind `sqlite-log.ts`: owns the database file, commits one batch per message.
 *
 * WAL with synchronous=FULL: a commit has been fsynced when it is acknowledged. One row per object, so that nothing
 * has to be compacted; the reservation of revisions lives in `meta`.
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
const port = parentPort;
assert(port, 'sqlite-worker runs as a worker thread');

const database = new DatabaseSync((workerData as { file: string }).file);
database.exec('PRAGMA journal_mode = WAL');
database.exec('PRAGMA synchronous = FULL');
database.exec(
  'CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID',
);
database.exec('CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID');
const put = database.prepare('INSERT OR REPLACE INTO object (key, revision, value) VALUES (?, ?, ?)');
const remove = database.prepare('DELETE FROM object WHERE key = ?');
const reserve = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('reserved', ?)");

port.on('message', (request: LogRequest) => {
  port.postMessage(answer(request));
  if (request.type === 'close') port.close();
});

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
  const meta = database.prepare("SELECT value FROM meta WHERE name = 'reserved'").get() as
    | { value: number }
    | undefined;
  return { type: 'content', rows, reserved: meta?.value ?? 0 };
}

function commit(rows: readonly LogRow[], reserved: number): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const { key, revision, value } of rows) {
      if (value === null) remove.run(key);
      else put.run(key, revision, value);
    }
    reserve.run(reserved);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function failed(error: unknown): LogResponse {
  const { message, errcode } = error as Error & { errcode?: number };
  return { type: 'failed', message, diskFull: errcode === SQLITE_FULL };
}
