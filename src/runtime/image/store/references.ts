/** Names and what they stand for: one small file each, so that processes never write the same one unawares. */
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import { type Digest, isDigest } from '#runtime/image/digest.ts';
import { refPath, type StoreLayout, syncDirectory, writeWhole } from '#runtime/image/store/layout.ts';
import { hasCode } from '#sys/errors.ts';

export interface StoredReference {
  /** Canonical, such as `docker.io/library/nginx:1`. */
  readonly name: string;
  /** Of the manifest or index that the registry has under that name. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Loaded by hand from an archive, or pulled from the registry that the name says. */
  readonly source: 'loaded' | 'pulled';
  /** When the name was given this digest here, in ms since the epoch. */
  readonly createdAt: number;
}

export function readReference(layout: StoreLayout, name: string): Promise<StoredReference | undefined> {
  return readRecord(refPath(layout, name));
}

export async function listReferences(layout: StoreLayout): Promise<StoredReference[]> {
  const files = (await readdir(layout.refs)).filter((file) => file.endsWith('.json'));
  const records = await Promise.all(files.map((file) => readRecord(path.join(layout.refs, file))));
  return records
    .filter((record) => record !== undefined)
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

export async function writeReference(layout: StoreLayout, clock: Clock, reference: StoredReference): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(reference)}\n`);
  await writeWhole(layout, clock, { path: refPath(layout, reference.name), bytes });
}

/** Notes that the image was needed now; the time is kept as the file's own. */
export async function touchReference(layout: StoreLayout, clock: Clock, name: string): Promise<void> {
  const seconds = clock.now() / 1_000;
  try {
    await utimes(refPath(layout, name), seconds, seconds);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** When the image was last needed under that name, in ms since the epoch. */
export async function lastUse(layout: StoreLayout, name: string): Promise<number> {
  return (await stat(refPath(layout, name))).mtimeMs;
}

export async function removeReference(layout: StoreLayout, name: string): Promise<void> {
  await rm(refPath(layout, name), { force: true });
  await syncDirectory(layout.refs);
}

/** A record that cannot be read counts as none: the name can be pulled or loaded again. */
async function readRecord(file: string): Promise<StoredReference | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  return parseRecord(text);
}

function parseRecord(text: string): StoredReference | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isObject(value)) return undefined;
  const { name, digest, mediaType, source, createdAt } = value;
  if (typeof name !== 'string' || !isDigest(digest)) return undefined;
  if (typeof mediaType !== 'string' || typeof createdAt !== 'number') return undefined;
  return { name, digest, mediaType, createdAt, source: source === 'loaded' ? 'loaded' : 'pulled' };
}
