/**
 * The store under `kill -9` at random instants: whatever was acknowledged as durable is there afterwards, and no
 * revision is ever given out twice.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { SqliteLog } from '#store/sqlite-log.ts';
import { Store } from '#store/store.ts';
import { eventually } from '#testing/eventually.ts';

const ROUNDS = 12;
const WRITER = path.join(import.meta.dirname, 'fixtures', 'writer.ts');
const FLAGS = ['--disable-warning=ExperimentalWarning'];
const never = new AbortController().signal;

interface Acknowledged {
  /** Last durable word on each name: its value, or null when it was removed. */
  readonly values: Map<string, { value: number | null; revision: number }>;
  /** Names that a derived write touched last: whether that survives is open. */
  readonly open: Set<string>;
  readonly revisions: Set<number>;
  highest: number;
}

test('kill -9 at random instants loses no acknowledged write and repeats no revision', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'pinnace-store-'));
  const known: Acknowledged = { values: new Map(), open: new Set(), revisions: new Set(), highest: 0 };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const lines = await runAndKill(directory, round);
      for (const line of lines) note(known, line);
      await compare(directory, known);
      for (const key of known.open) if (key.startsWith('unacknowledged')) known.open.delete(key);
    }
    assert.ok(known.revisions.size > 1_000, `only ${known.revisions.size} writes were acknowledged in all`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

async function runAndKill(directory: string, round: number): Promise<string[]> {
  const said = path.join(directory, `said-${round}`);
  const first = String(round * 1_000_000);
  const child = spawn(process.execPath, [...FLAGS, WRITER, directory, first, said], { stdio: 'inherit' });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await eventually(() => linesOf(said).length > 10, { timeoutMs: 30_000, what: 'the writer writes' });
  await systemClock.sleep(systemClock.random() * 200, never);
  child.kill('SIGKILL');
  await closed;
  return linesOf(said);
}

/** A line that was cut off was not acknowledged. */
function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

function note(known: Acknowledged, line: string): void {
  const isDerived = line.startsWith('~ ');
  const [first = '', second = '', third = ''] = line.replace('~ ', '').split(' ');
  if (first === 'open') {
    assert.ok(Number(second) > known.highest, `opened at ${second}, though ${known.highest} was given out`);
    return;
  }
  const isGone = first === 'gone';
  const name = isGone ? second : first;
  const revision = Number(third);
  assert.ok(!known.revisions.has(revision), `revision ${revision} was given out twice`);
  known.revisions.add(revision);
  known.highest = Math.max(known.highest, revision);
  const before = known.values.get(name);
  if (isDerived) known.open.add(name);
  else if (!before || revision > before.revision) {
    known.open.delete(name);
    known.values.set(name, { value: isGone ? null : Number(second), revision });
  }
}

/** What came back is what was acknowledged, or something newer that was written but never acknowledged. */
async function compare(directory: string, known: Acknowledged): Promise<void> {
  await using store = await Store.open({ log: new SqliteLog(directory), clock: systemClock, logger: silentLogger });
  assert.ok(store.revision > known.highest);
  for (const [name, { value, revision }] of known.values) {
    const entry = store.get('things', { namespace: 'a', name });
    const isOpen = known.open.has(name);
    if (entry && entry.revision === revision) {
      assert.equal((entry.object as unknown as { value: number }).value, value, name);
    } else if (entry) {
      assert.ok(entry.revision > revision, `${name}: ${entry.revision} came back, ${revision} was acknowledged`);
    } else {
      assert.ok(value === null || isOpen || wasRemovedLater(known, name), `${name} at ${revision} is lost`);
    }
    if (!entry) known.values.delete(name);
    else
      known.values.set(name, { value: (entry.object as unknown as { value: number }).value, revision: entry.revision });
    known.open.delete(name);
  }
}

/** A removal that reached the disk but whose acknowledgement did not reach us: at most one per writer and crash. */
function wasRemovedLater(known: Acknowledged, name: string): boolean {
  const writer = name.slice(0, name.indexOf('-'));
  const key = `unacknowledged removal by ${writer}`;
  if (known.open.has(key)) return false;
  known.open.add(key);
  return true;
}
