/**
 * How fast a layer is unpacked, beside what nobody can do without: decompressing it and taking its digest.
 *
 * Method: one layer of about 120 MB (gzip -6, 19,000 files, seeded, so the same at every run), each rival in turn,
 * `ROUNDS` times, median of the wall-clock times; on a tmpfs, since a disk measures itself. Rivals: gunzip and sha256
 * in one Node process as the unpacker does them; GNU tar, which takes no digest and shares no work. Then the time
 * that `ensureImage` takes for an image that is there.
 *
 *     node bench/image-unpack.ts          (root)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { systemClock } from '#base/clock.ts';
import { buildArchive } from '#runtime/image/builder.ts';
import { loadImages } from '#runtime/image/commands.ts';
import type { Digest } from '#runtime/image/digest.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import { LAYER_LIMITS } from '#runtime/image/limits.ts';
import { unpackLayer } from '#runtime/image/unpack/unpack-layer.ts';
import { mulberry32 } from '#testing/fake-clock.ts';

const ROUNDS = 5;
const FILES = 19_000;
const MEAN_BYTES = 11_300;
const TMPFS = '/dev/shm';
const ENSURES = 2_000;
const signal = new AbortController().signal;

/** Text of random words compresses about as programs and libraries do. */
function* fileContents(): Generator<Buffer> {
  const random = mulberry32(1);
  const words = Array.from({ length: 4_000 }, () => Math.floor(random() * 2 ** 32).toString(36));
  const noise = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(random() * 256)));
  for (let at = 0; at < FILES; at += 1) {
    const size = Math.floor(MEAN_BYTES * 2 * random() ** 2 * 1.5);
    const text: string[] = [];
    for (let length = 0; length < size * 0.7; length += 6) text.push(words[Math.floor(random() * words.length)] ?? '');
    yield Buffer.concat([Buffer.from(text.join(' ')), noise.subarray(0, Math.floor(size * 0.2))]);
  }
}

async function makeLayer(file: string): Promise<Digest> {
  const archive = pack();
  const hash = createHash('sha256');
  const writing = pipeline(
    Readable.from(archive as AsyncIterable<Buffer>).on('data', (chunk: Buffer) => hash.update(chunk)),
    createGzip({ level: 6 }),
    createWriteStream(file),
  );
  let count = 0;
  for (const content of fileContents()) {
    const folder = `dir${count % 200}`;
    if (count < 200) archive.entry({ name: folder, type: 'directory', mode: 0o755, mtime: new Date(0) });
    await new Promise<void>((resolve, reject) => {
      archive.entry({ name: `${folder}/file${count}`, mtime: new Date(0) }, content, (error) =>
        error ? reject(error) : resolve(),
      );
    });
    count += 1;
  }
  archive.finalize();
  await writing;
  return `sha256:${hash.digest('hex')}`;
}

async function gunzipAndHash(file: string): Promise<void> {
  const hash = createHash('sha256');
  const plain = createReadStream(file, { highWaterMark: 512 * 1024 }).pipe(createGunzip({ chunkSize: 256 * 1024 }));
  for await (const chunk of plain as AsyncIterable<Buffer>) hash.update(chunk);
  hash.digest('hex');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = systemClock.monotonicMs();
  await work();
  return systemClock.monotonicMs() - started;
}

function median(times: readonly number[]): number {
  return times.toSorted((left, right) => left - right)[times.length >> 1] ?? Number.NaN;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(existsSync(TMPFS) ? TMPFS : tmpdir(), 'pinnace-bench-'));
  try {
    const blob = path.join(folder, 'layer.tgz');
    const diffId = await makeLayer(blob);
    console.log(`layer: ${(statSync(blob).size / 1e6).toFixed(0)} MB, ${FILES} files, in ${folder}`);
    const root = path.join(folder, 'root');
    const fresh = () => {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
    };
    const rivals: readonly [name: string, work: () => Promise<unknown>][] = [
      ['gunzip + sha256', () => gunzipAndHash(blob)],
      ['pinnace', () => unpackLayer({ blob, diffId, root, lowerDirs: [], limits: LAYER_LIMITS }, signal, () => {})],
      ['GNU tar -xzp', async () => execFileSync('tar', ['-xzpf', blob, '-C', root, '--same-owner'])],
    ];
    const times = new Map<string, number[]>(rivals.map(([name]) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, work] of rivals) {
        fresh();
        times.get(name)?.push(await timed(work));
      }
    }
    const base = median(times.get('gunzip + sha256') ?? []);
    for (const [name, list] of times) {
      console.log(
        `${name.padEnd(16)} ${median(list).toFixed(0).padStart(5)} ms  ${(median(list) / base).toFixed(2)} ×`,
      );
    }
    await measureEnsure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureEnsure(folder: string): Promise<void> {
  const archive = path.join(folder, 'image.tar');
  const build = {
    names: ['dev.local/bench:1'],
    layers: [[{ kind: 'file', path: 'a', content: 'a' }] as const],
    config: {},
  };
  await pipeline(Readable.from(buildArchive([build], 'oci-layout')), createWriteStream(archive));
  await using service = await ImageService.open({ root: path.join(folder, 'images'), clock: systemClock });
  console.log(
    `image load       ${(await timed(() => loadImages(service, archive, {}, signal))).toFixed(1)} ms with the start of a thread`,
  );
  const digest = await service.resolveDigest('dev.local/bench:1', {}, signal);
  for (const image of ['dev.local/bench:1', `dev.local/bench@${digest}`]) {
    const times: number[] = [];
    for (let at = 0; at < ENSURES; at += 1)
      times.push(await timed(() => service.ensureImage(image, { pullPolicy: 'IfNotPresent' }, signal)));
    console.log(
      `ensureImage      ${(median(times) * 1_000).toFixed(0)} µs for ${image.includes('@') ? 'a digest' : 'a tag'} that is there`,
    );
  }
}

await main();
