/**
 * Durable writes a second: acknowledged only once they are on disk.
 *
 * Method: `WRITERS` writers, each waiting for the acknowledgement of its last write before it sends the next, create
 * objects of about `BYTES` bytes for `SECONDS` seconds, in a store on the disk of the temporary directory; every
 * second round a bare SQLite of the same version, one fsynced transaction per write, is the rival. Median of rounds.
 *
 *     node bench/store.ts
 */
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { SqliteLog } from '#store/sqlite-log.ts';
import { Store } from '#store/store.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { median, report, say } from './support/figures.ts';

const WRITERS = 64;
const BYTES = 2_000;
const SECONDS = 4;
const ROUNDS = 5;
const LIMIT = 20_000;

const text = 'x'.repeat(BYTES);
const ours: number[] = [];
const rival: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  ours.push(await measureStore());
  rival.push(measureSqlite());
}
say(`store, ${WRITERS} writers:            ${median(ours).toFixed(0)} writes/s`);
say(`SQLite, a transaction per write: ${median(rival).toFixed(0)} writes/s`);
say(`ratio: ${(median(ours) / median(rival)).toFixed(1)}×`);
if (!report({ what: 'durable writes', value: median(ours), limit: LIMIT, unit: '/s', kind: 'at least' }))
  process.exitCode = 1;

async function measureStore(): Promise<number> {
  using folder = new TemporaryFolder('pinnace-bench-');
  await using store = await Store.open({ log: new SqliteLog(folder.path), clock: systemClock, logger: silentLogger });
  const deadline = performance.now() + SECONDS * 1_000;
  let written = 0;
  const writer = async (worker: number) => {
    for (let number = 0; performance.now() < deadline; number += 1) {
      const name = `n${worker}-${number}`;
      const object = { apiVersion: 'v1', kind: 'Thing', metadata: { namespace: 'a', name }, text };
      const ref = { namespace: 'a', name };
      await store.write({ resource: 'things', ref, object, expected: 0, durability: 'durable' });
      written += 1;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: WRITERS }, (_, worker) => writer(worker)));
  return (written * 1_000) / (performance.now() - startedAt);
}

function measureSqlite(): number {
  using folder = new TemporaryFolder('pinnace-bench-');
  const database = new DatabaseSync(folder.at('rival.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)');
  const insert = database.prepare('INSERT INTO t VALUES (?, ?)');
  const startedAt = performance.now();
  let written = 0;
  for (; performance.now() - startedAt < SECONDS * 1_000; written += 1) insert.run(String(written), text);
  const seconds = (performance.now() - startedAt) / 1_000;
  database.close();
  return written / seconds;
}
