/** The file behind the log: one row per object, whatever came before, and files of other layouts. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { LogRow } from '#store/log.ts';
import { SqliteLog } from '#store/sqlite-log.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

async function contentOf(directory: string): Promise<LogRow[]> {
  await using log = new SqliteLog(directory);
  const { rows } = await log.load();
  return rows.toSorted((a, b) => a.revision - b.revision).map((row) => ({ ...row }));
}

test('one row is kept for each object: its last', async () => {
  using folder = new TemporaryFolder('pinnace-log-');
  {
    await using log = new SqliteLog(folder.path);
    await log.load();
    await log.commit(
      [1, 2, 3].map((revision) => ({ key: `a//${revision}`, revision, value: 'first' })),
      10,
    );
    await log.commit(
      [
        { key: 'a//1', revision: 4, value: 'second' },
        { key: 'a//2', revision: 5, value: null },
      ],
      10,
    );
  }
  {
    await using log = new SqliteLog(folder.path);
    assert.equal((await log.load()).reserved, 10);
    await log.commit([{ key: 'a//3', revision: 6, value: 'second' }], 20);
  }
  assert.deepEqual(await contentOf(folder.path), [
    { key: 'a//1', revision: 4, value: 'second' },
    { key: 'a//3', revision: 6, value: 'second' },
  ]);
});

test('a file whose rows lie by key is taken over', async () => {
  using folder = new TemporaryFolder('pinnace-log-');
  const earlier = new DatabaseSync(folder.at('state.db'));
  earlier.exec(`
    CREATE TABLE object (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO object VALUES ('a//b', 8, 'kept'), ('a//a', 9, 'replaced');
    INSERT INTO meta VALUES ('reserved', 50);`);
  earlier.close();
  {
    await using log = new SqliteLog(folder.path);
    assert.equal((await log.load()).reserved, 50);
    await log.commit([{ key: 'a//a', revision: 51, value: 'new' }], 60);
  }
  assert.deepEqual(await contentOf(folder.path), [
    { key: 'a//b', revision: 8, value: 'kept' },
    { key: 'a//a', revision: 51, value: 'new' },
  ]);
});

test('a file of a later version is refused and left alone', async () => {
  using folder = new TemporaryFolder('pinnace-log-');
  const later = new DatabaseSync(folder.at('state.db'));
  later.exec('PRAGMA user_version = 99');
  later.close();
  await using log = new SqliteLog(folder.path);
  await assert.rejects(log.load(), (error: Error) => /later version \(layout 99\)/.test(String(error.cause)));
});
