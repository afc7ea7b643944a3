/**
 * Builds images from files, without any other program: layers and a configuration in, an OCI layout or a docker
 * archive out, as one tar stream. The demo builds its sample so, tests build theirs.
 *
 * Deterministic: the same input gives the same bytes, whenever and wherever (entries sorted, owner root unless said
 * otherwise, times at the epoch unless said otherwise). Nothing is buffered whole: each layer is made twice, once for
 * its digest and once for the archive.
 */
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { type Header, pack, type Pack } from 'tar-stream';
import { Digester, type Digest, digestOf } from '#runtime/image/digest.ts';
import { ImageError } from '#runtime/image/errors.ts';
import type { Platform } from '#runtime/image/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '#runtime/image/media-types.ts';
import { hostPlatform } from '#runtime/image/platform.ts';

interface Attributes {
  /** Absolute or relative to the root; parents are added. */
  readonly path: string;
  /** Permission bits. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export type BuildEntry =
  | (Attributes & { readonly kind: 'file'; readonly content: string | Uint8Array })
  /** A file of this machine. */
  | (Attributes & { readonly kind: 'copy'; readonly source: string })
  /** A directory of this machine with all that is in it: files, directories and links. */
  | (Attributes & { readonly kind: 'tree'; readonly source: string })
  | (Attributes & { readonly kind: 'directory' })
  | (Attributes & { readonly kind: 'symlink'; readonly target: string });

export interface BuildConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  /** Such as `8080/tcp`. */
  readonly exposedPorts?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
}

export interface ImageBuild {
  /** Full names with tags, such as `dev.local/hello:1`. */
  readonly names: readonly string[];
  /** Lowest first. */
  readonly layers: readonly (readonly BuildEntry[])[];
  readonly config: BuildConfig;
  readonly platform?: Platform;
}

export type ArchiveFormat = 'oci-layout' | 'docker-archive';

type Headers = Partial<Header> & Pick<Header, 'name'>;

const EPOCH = '1970-01-01T00:00:00Z';
const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;

/** The archive's bytes. Fails when a file changes while it is read. */
export async function* buildArchive(builds: readonly ImageBuild[], format: ArchiveFormat): AsyncGenerator<Buffer> {
  const images: BuiltImage[] = [];
  for (const build of builds) images.push(await builtImage(build));
  const archive = pack();
  const writing = writeArchive(archive, images, format).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  for await (const chunk of archive as AsyncIterable<Buffer>) yield chunk;
  await writing;
}

interface BuiltLayer {
  readonly entries: readonly TarSource[];
  readonly digest: Digest;
  readonly size: number;
}

interface BuiltImage {
  readonly names: readonly string[];
  readonly layers: readonly BuiltLayer[];
  readonly config: Buffer;
  readonly manifest: Buffer;
  readonly platform: Platform;
}

async function builtImage(build: ImageBuild): Promise<BuiltImage> {
  const { names, config, platform = hostPlatform() } = build;
  const layers: BuiltLayer[] = [];
  for (const entries of build.layers) layers.push(await builtLayer(entries));
  const configBytes = jsonBytes(imageConfig(config, platform, layers));
  const manifest = jsonBytes({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, configBytes),
    layers: layers.map(({ digest, size }) => ({ mediaType: OCI_LAYER, digest, size })),
  });
  return { names, layers, config: configBytes, manifest, platform };
}

async function builtLayer(entries: readonly BuildEntry[]): Promise<BuiltLayer> {
  const sources = await tarSources(entries);
  const digester = new Digester();
  let size = 0;
  for await (const chunk of layerTar(sources)) {
    digester.update(chunk);
    size += chunk.length;
  }
  return { entries: sources, digest: digester.finish(), size };
}

function imageConfig(config: BuildConfig, platform: Platform, layers: readonly BuiltLayer[]): object {
  const { entrypoint, cmd, env, user, workingDir, exposedPorts, labels, stopSignal } = config;
  const given = {
    User: user,
    ExposedPorts: exposedPorts && Object.fromEntries(exposedPorts.toSorted().map((port) => [port, {}])),
    Env: env && Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Entrypoint: entrypoint,
    Cmd: cmd,
    WorkingDir: workingDir,
    Labels: labels,
    StopSignal: stopSignal,
  };
  return {
    created: EPOCH,
    architecture: platform.architecture,
    os: platform.os,
    config: given,
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created: EPOCH, created_by: 'pinnace' })),
  };
}

async function writeArchive(archive: Pack, images: readonly BuiltImage[], format: ArchiveFormat): Promise<void> {
  const written = new Set<string>();
  for (const { layers, config, manifest } of images) {
    for (const layer of layers) {
      if (written.has(layer.digest)) continue;
      written.add(layer.digest);
      await addStream(archive, { name: blobName(layer.digest), size: layer.size }, layerTar(layer.entries));
    }
    // A docker archive has no manifests: whoever loads it makes them.
    for (const bytes of format === 'docker-archive' ? [config] : [config, manifest]) {
      const digest = digestOf(bytes);
      if (written.has(digest)) continue;
      written.add(digest);
      archive.entry(fileHeader(blobName(digest)), bytes);
    }
  }
  if (format === 'docker-archive') archive.entry(fileHeader('manifest.json'), jsonBytes(images.map(dockerEntry)));
  else {
    archive.entry(fileHeader('index.json'), jsonBytes(ociIndex(images)));
    archive.entry(fileHeader('oci-layout'), jsonBytes({ imageLayoutVersion: '1.0.0' }));
  }
}

function dockerEntry({ names, layers, config }: BuiltImage): object {
  const paths = layers.map(({ digest }) => blobName(digest));
  return { Config: blobName(digestOf(config)), RepoTags: names, Layers: paths };
}

function ociIndex(images: readonly BuiltImage[]): object {
  const manifests = images.flatMap(({ names, manifest, platform }) =>
    names.map((name) => ({
      ...descriptor(OCI_MANIFEST, manifest),
      platform,
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
    })),
  );
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
}

function blobName(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function descriptor(mediaType: string, bytes: Buffer): object {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function fileHeader(name: string): Headers {
  return { name, mode: FILE_MODE, mtime: new Date(0) };
}

/** One entry of a layer, with where its bytes come from. */
interface TarSource {
  readonly header: Headers;
  readonly content?: Buffer;
  readonly file?: string;
}

async function* layerTar(entries: readonly TarSource[]): AsyncGenerator<Buffer> {
  const layer = pack();
  const writing = (async () => {
    for (const { header, content, file } of entries) {
      if (file === undefined) layer.entry(header, content ?? Buffer.alloc(0));
      else await addStream(layer, header, createReadStream(file));
    }
    layer.finalize();
  })().catch((error: unknown) => layer.destroy(error instanceof Error ? error : new Error(String(error))));
  for await (const chunk of layer as AsyncIterable<Buffer>) yield chunk;
  await writing;
}

/** The header's size is what the archive promises: more or less bytes are an error. */
function addStream(archive: Pack, header: Headers, source: AsyncIterable<Buffer>): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = archive.entry({ mode: FILE_MODE, mtime: new Date(0), ...header }, (error) => {
      if (error) reject(new ImageError('StorageFailed', `${header.name} changed while it was read`, { cause: error }));
      else resolve();
    });
    const feed = async () => {
      for await (const chunk of source) {
        if (!entry.write(chunk)) await new Promise<void>((drained) => entry.once('drain', drained));
      }
      entry.end(Buffer.alloc(0));
    };
    feed().catch((error: unknown) => {
      const reason = error instanceof Error ? error : new Error(String(error));
      entry.destroy(reason);
      reject(reason);
    });
  });
}

/** Sorted by path, each once (the last wins), with every parent before what is in it. */
async function tarSources(entries: readonly BuildEntry[]): Promise<TarSource[]> {
  const sources = new Map<string, TarSource>();
  for (const entry of entries) {
    for (const source of await sourcesOf(entry)) sources.set(source.header.name, source);
  }
  for (const name of sources.keys()) {
    for (const parent of parentsOf(name)) {
      if (!sources.has(parent))
        sources.set(parent, { header: headerOf(parent, 'directory', { mode: DIRECTORY_MODE }) });
    }
  }
  return [...sources.values()].sort((left, right) => (left.header.name < right.header.name ? -1 : 1));
}

function parentsOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_part, at) => parts.slice(0, at + 1).join('/'));
}

async function sourcesOf(entry: BuildEntry): Promise<TarSource[]> {
  const name = path.posix.join('/', entry.path).slice(1).replace(/\/$/, '');
  if (name === '') {
    if (entry.kind === 'tree') return treeSources('', entry.source, entry);
    throw new ImageError('UnsafePath', 'the root of an image is no entry');
  }
  const { kind } = entry;
  if (kind === 'tree') {
    const top = { header: headerOf(name, 'directory', { mode: DIRECTORY_MODE }) };
    return [top, ...(await treeSources(name, entry.source, entry))];
  }
  if (kind === 'copy') return [await fileSource(name, entry.source, entry)];
  if (kind === 'symlink') return [{ header: { ...headerOf(name, kind, entry), linkname: entry.target } }];
  if (kind === 'directory') return [{ header: headerOf(name, kind, { ...entry, mode: entry.mode ?? DIRECTORY_MODE }) }];
  const content = Buffer.from(entry.content);
  return [{ header: { ...headerOf(name, kind, entry), size: content.length }, content }];
}

async function treeSources(
  name: string,
  directory: string,
  owner: Pick<Attributes, 'uid' | 'gid'>,
): Promise<TarSource[]> {
  const ids = {
    ...(owner.uid === undefined ? {} : { uid: owner.uid }),
    ...(owner.gid === undefined ? {} : { gid: owner.gid }),
  };
  const sources: TarSource[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const below = name === '' ? entry.name : `${name}/${entry.name}`;
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) {
      sources.push({ header: headerOf(below, 'directory', { ...ids, mode: DIRECTORY_MODE }) });
      sources.push(...(await treeSources(below, file, owner)));
    } else if (entry.isSymbolicLink()) {
      sources.push({ header: { ...headerOf(below, 'symlink', ids), linkname: await readlink(file) } });
    } else if (entry.isFile()) sources.push(await fileSource(below, file, ids));
  }
  return sources;
}

/** Of a file's own mode only whether it can be executed is kept: the rest depends on whose machine it is. */
async function fileSource(name: string, file: string, attributes: Omit<Attributes, 'path'>): Promise<TarSource> {
  const { size, mode } = await lstat(file);
  const ownMode = (mode & 0o111) === 0 ? FILE_MODE : PROGRAM_MODE;
  return { header: { ...headerOf(name, 'file', { ...attributes, mode: attributes.mode ?? ownMode }), size }, file };
}

function headerOf(name: string, type: 'file' | 'directory' | 'symlink', attributes: Omit<Attributes, 'path'>) {
  const { mode = FILE_MODE, uid = 0, gid = 0 } = attributes;
  return { name, type, mode: type === 'symlink' ? 0o777 : mode, uid, gid, mtime: new Date(0) };
}
