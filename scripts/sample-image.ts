/**
 * The image of `samples/greeter`, built from its source with nothing but what is in this clone and on this machine: one
 * layer with the product's own Node and the shared libraries that it is linked to, one with the application. The same
 * input gives the same image.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildArchive, type BuildEntry, type ImageBuild } from '#runtime/image/builder.ts';
import { sharedLibraries } from './shared-libraries.ts';

const SAMPLE = path.join(import.meta.dirname, '..', 'samples', 'greeter');
const NAME = 'dev.local/greeter:1';
const APPLICATION = ['server.js', 'package.json'];
const USER = 65_532;
/** Every glibc looks here for libraries, whatever its distribution. */
const LIBRARIES = '/lib';
const PROGRAM_MODE = 0o755;

/** To standard output. Answers the exit code. */
export async function writeSampleImage(): Promise<number> {
  if (process.stdout.isTTY) {
    process.stderr.write('This prints an archive; send it somewhere: | ./bin/pinnace image load -\n');
    return 2;
  }
  await pipeline(Readable.from(buildArchive([sampleImage()], 'oci-layout')), process.stdout);
  return 0;
}

export function sampleImage(node: string = process.execPath): ImageBuild {
  return {
    names: [NAME],
    layers: [nodeLayer(node), applicationLayer()],
    config: {
      entrypoint: ['/usr/bin/node', '/app/server.js'],
      env: { PATH: '/usr/bin', NODE_ENV: 'production' },
      user: String(USER),
      workingDir: '/app',
      exposedPorts: ['8080/tcp'],
    },
  };
}

function nodeLayer(node: string): BuildEntry[] {
  const libraries = sharedLibraries(node).map(({ name, file }): BuildEntry => {
    const target = path.posix.resolve(LIBRARIES, name);
    return { kind: 'copy', path: target, source: realpathSync(file), mode: PROGRAM_MODE };
  });
  return [
    { kind: 'copy', path: '/usr/bin/node', source: node, mode: PROGRAM_MODE },
    ...libraries,
    { kind: 'file', path: '/etc/passwd', content: `root:x:0:0:root:/:/none\nnonroot:x:${USER}:${USER}::/app:/none\n` },
    { kind: 'file', path: '/etc/group', content: `root:x:0:\nnonroot:x:${USER}:\n` },
    { kind: 'directory', path: '/tmp', mode: 0o1777 },
  ];
}

function applicationLayer(): BuildEntry[] {
  return APPLICATION.map((name) => ({ kind: 'copy', path: `/app/${name}`, source: path.join(SAMPLE, name) }));
}
