/**
 * The journal of what the autoscaler decided and why, per revision, on disk: `DIR/NAMESPACE/REVISION.jsonl`, one JSON
 * object per line, and `REVISION.old.jsonl` with what was before that.
 *
 * Guarantees: bounded per revision, in number of waiting entries and in all; survives restarts; never delays a decision,
 * as writing happens later and elsewhere. What was recorded in the last second before a crash may be missing. A disk
 * that is full costs entries, not decisions.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { JournalEntry } from '#autoscaler/journal-entry.ts';
import { keyOfRef, type ObjectKey, type ObjectRef, refOfKey } from '#kube/object.ts';

/** A revision's file is put aside when it grows beyond this; the one put aside before is dropped. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Beyond this in all, the files that were not written to for longest are dropped. */
const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;
/** Most entries that wait to be written; more are lost. */
export const MAX_PENDING_ENTRIES = 20_000;
/** How long an entry may wait. */
const FLUSH_DELAY_MS = 1_000;

export interface JournalOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxFileBytes?: number;
  readonly maxJournalBytes?: number;
}

export class Journal implements AsyncDisposable {
  readonly #options: JournalOptions;
  readonly #pending = new Map<ObjectKey, JournalEntry[]>();
  /** Bytes of the files written to in this life. */
  readonly #sizes = new Map<ObjectKey, number>();
  #waiting = 0;
  #lost = 0;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isDirReady = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Takes an entry; it must not be changed any more. */
  record(key: ObjectKey, entry: JournalEntry): void {
    if (this.#waiting >= MAX_PENDING_ENTRIES) {
      this.#lost += 1;
      return;
    }
    const entries = this.#pending.get(key) ?? [];
    if (entries.push(entry) === 1) this.#pending.set(key, entries);
    this.#waiting += 1;
    this.#timer ??= this.#options.clock.after(FLUSH_DELAY_MS, () => void this.flush(), { unref: true });
  }

  /** Writes what waits; never fails. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const batch = [...this.#pending];
    this.#pending.clear();
    this.#waiting = 0;
    this.#writing = this.#writing.then(() => this.#write(batch));
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  async #write(batch: readonly (readonly [ObjectKey, readonly JournalEntry[]])[]): Promise<void> {
    const { logger } = this.#options;
    try {
      if (!this.#isDirReady) await this.#prune();
      this.#isDirReady = true;
      for (const [key, entries] of batch) await this.#append(key, entries);
    } catch (error) {
      this.#lost += batch.reduce((count, [, entries]) => count + entries.length, 0);
      logger.warn('the journal could not be written', { error });
    }
    if (this.#lost > 0) logger.warn('entries of the journal were lost', { count: this.#lost });
    this.#lost = 0;
  }

  async #append(key: ObjectKey, entries: readonly JournalEntry[]): Promise<void> {
    const { dir, maxFileBytes = MAX_FILE_BYTES } = this.#options;
    const { current, old } = journalFiles(dir, refOfKey(key));
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const size = this.#sizes.get(key) ?? (await sizeOf(current));
    if (size === 0) await mkdir(path.dirname(current), { recursive: true, mode: 0o700 });
    if (size > 0 && size + text.length > maxFileBytes) {
      await rename(current, old);
      await this.#prune();
      this.#sizes.set(key, 0);
    }
    await appendFile(current, text, { mode: 0o600 });
    this.#sizes.set(key, (this.#sizes.get(key) ?? size) + Buffer.byteLength(text));
  }

  /** Drops what was not written to for longest until the rest fits. */
  async #prune(): Promise<void> {
    const { dir, maxJournalBytes = MAX_JOURNAL_BYTES } = this.#options;
    const files = await filesBelow(dir);
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { file, bytes } of files.sort((a, b) => a.changedMs - b.changedMs)) {
      if (total <= maxJournalBytes) return;
      await rm(file, { force: true });
      this.#sizes.clear();
      total -= bytes;
    }
  }
}

/** What the journal in `dir` says of a revision from `sinceMs` on, the oldest first; lines cut off by a crash are left out. */
export async function readJournal(dir: string, revision: ObjectRef, sinceMs = 0): Promise<JournalEntry[]> {
  const { current, old } = journalFiles(dir, revision);
  const texts = await Promise.all([readText(old), readText(current)]);
  const entries = texts.flatMap((text) => text.split('\n').flatMap(parseEntry));
  return entries.filter(({ at }) => at >= sinceMs);
}

function journalFiles(dir: string, revision: ObjectRef): { current: string; old: string } {
  // Names of objects never hold a slash or begin with a dot, so they cannot lead out of the directory.
  const [namespace = '', name = ''] = keyOfRef(revision).split('/');
  const stem = path.join(dir, path.basename(namespace), path.basename(name));
  return { current: `${stem}.jsonl`, old: `${stem}.old.jsonl` };
}

function parseEntry(line: string): JournalEntry[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line) as JournalEntry];
  } catch {
    return [];
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

interface FoundFile {
  readonly file: string;
  readonly bytes: number;
  readonly changedMs: number;
}

async function filesBelow(dir: string): Promise<FoundFile[]> {
  try {
    const found = await readdir(dir, { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'));
    return await Promise.all(files.map(({ parentPath, name }) => statFile(path.join(parentPath, name))));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function statFile(file: string): Promise<FoundFile> {
  const { size, mtimeMs } = await stat(file);
  return { file, bytes: size, changedMs: mtimeMs };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
