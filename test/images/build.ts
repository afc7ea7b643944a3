/**
 * The images that tests and benchmarks run: `app.c`, compiled once per version of its source into `.cache/`, as an
 * image of one layer with one program in it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ArchiveFormat, buildArchive, type BuildConfig, type ImageBuild } from '#runtime/image/builder.ts';
import { programEntries } from './programs.ts';
import { compiler } from '#testing/requirements.ts';

const FOLDER = import.meta.dirname;
const CACHE = path.join(FOLDER, '..', '..', '.cache');
const FLAGS = ['-static', '-O2', '-s', '-w'];
const USER = 65_532;

/** Path of the compiled program. Throws where there is no compiler: tests ask `needs('compiler')` first. */
export function appBinary(): string {
  const source = path.join(FOLDER, 'app.c');
  const key = createHash('sha256').update(readFileSync(source)).update(process.arch).update(FLAGS.join(' '));
  const binary = path.join(CACHE, `app-${key.digest('hex').slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  const cc = compiler();
  if (cc === undefined) throw new Error('the test images need a C compiler (apt-get install gcc)');
  mkdirSync(CACHE, { recursive: true });
  const temporary = `${binary}.${process.pid}`;
  execFileSync(cc, [...FLAGS, '-o', temporary, source], { stdio: 'pipe' });
  renameSync(temporary, binary);
  return binary;
}

/** The names under which the images are built. */
export const TEST_IMAGES = [
  'test/app:1',
  'test/app:2',
  'dev.local/hello:1',
  'dev.local/oracle:1',
  'test/shell:1',
  'test/curl:1',
] as const;

export type TestImage = (typeof TEST_IMAGES)[number];

const CONFIGS: Readonly<Record<TestImage, BuildConfig>> = {
  'test/app:1': { env: { APP_VERSION: '1' } },
  'test/app:2': { env: { APP_VERSION: '2' } },
  'dev.local/hello:1': { env: { STYLE: 'hello' } },
  // Its crashes end with 3, as the recorded cases have it.
  'dev.local/oracle:1': { env: { STYLE: 'oracle', CRASH_CODE: '3' } },
  // With a shell and what kubectl needs in a container, and as root, as most images with a shell are.
  'test/shell:1': { env: { PATH: '/bin' }, user: '0', entrypoint: [], cmd: ['/bin/sh'] },
  // A client of the API from inside; what uses it needs curl.
  'test/curl:1': { env: { PATH: '/bin' }, user: '0', entrypoint: [], cmd: ['/bin/sleep', '3600'] },
};

const PROGRAMS: Partial<Readonly<Record<TestImage, readonly string[]>>> = {
  'test/shell:1': ['sh', 'cat', 'tar', 'stty', 'sleep', 'ls', 'mkdir', 'rm', 'head', 'wc', 'test', 'echo', 'env'],
  'test/curl:1': ['sh', 'cat', 'sleep', 'curl'],
};

/** One image under that name, or under others. */
export function testImage(image: TestImage, names: readonly string[] = [image]): ImageBuild {
  const config = CONFIGS[image];
  return {
    names,
    layers: [
      [
        { kind: 'copy', path: 'app', source: appBinary(), mode: 0o755 },
        { kind: 'directory', path: 'tmp', mode: 0o1777 },
        {
          kind: 'file',
          path: 'etc/passwd',
          content: `root:x:0:0:root:/:/none\nnonroot:x:${USER}:${USER}:nonroot:/:/none\n`,
        },
        { kind: 'file', path: 'etc/group', content: `root:x:0:\nnonroot:x:${USER}:\n` },
        ...programEntries(PROGRAMS[image] ?? []),
      ],
    ],
    config: {
      entrypoint: ['/app'],
      user: String(USER),
      workingDir: '/',
      exposedPorts: ['8080/tcp'],
      ...config,
      env: { PATH: '/', ...config.env },
    },
  };
}

/** Writes an archive with the images to `file`. */
export async function writeImages(
  file: string,
  images: readonly ImageBuild[],
  format: ArchiveFormat = 'oci-layout',
): Promise<void> {
  await pipeline(Readable.from(buildArchive(images, format)), createWriteStream(file));
}
