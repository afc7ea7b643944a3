// One bundle per process and per worker thread into dist/, so that a process starts from one file and no compiler
// is loaded at run time. `ensureBuilt` does nothing when no source is newer than the last build.
import { existsSync, globSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './setup.mjs';

const DIST = path.join(ROOT, 'dist');
const STAMP = path.join(DIST, '.built');

const BANNER = [
  "import { createRequire as pinnaceCreateRequire } from 'node:module';",
  'const require = pinnaceCreateRequire(import.meta.url);',
].join('\n');

function sources(...patterns) {
  return globSync(patterns, { cwd: ROOT }).filter((name) => !name.endsWith('.test.ts'));
}

function isFresh() {
  if (!existsSync(STAMP)) return false;
  const built = statSync(STAMP).mtimeMs;
  const inputs = [...sources('src/**/*.ts'), 'package.json', 'scripts/build.mjs'];
  return inputs.every((file) => statSync(path.join(ROOT, file)).mtimeMs <= built);
}

export async function ensureBuilt() {
  if (isFresh()) return;
  const startedAt = new Date();
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const entryPoints = sources('src/main/*.ts', 'src/**/*-worker.ts');
  const fresh = `${DIST}.${process.pid}`;
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    entryNames: '[name]',
    outdir: fresh,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    minifySyntax: true,
    // Names stay for stack traces; everything else is kept in memory as long as the process lives.
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: 'none',
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: BANNER },
    define: { PINNACE_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  });
  assertAscii(fresh);
  const stamp = path.join(fresh, '.built');
  writeFileSync(stamp, startedAt.toISOString());
  // A source that changed while we built is newer than this build.
  utimesSync(stamp, startedAt, startedAt);
  replace(fresh);
}

/** One character beyond ASCII, say in a regular expression, and V8 keeps the whole text in two bytes for each. */
function assertAscii(folder) {
  for (const name of globSync('*.js', { cwd: folder })) {
    const wide = readFileSync(path.join(folder, name)).findIndex((byte) => byte > 0x7f);
    if (wide >= 0) throw new Error(`${name} is not ASCII at byte ${wide}: write the character as an escape`);
  }
}

/** Whoever starts a process at this moment finds the old files or the new ones. */
function replace(fresh) {
  const old = `${fresh}.old`;
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(fresh, DIST);
  rmSync(old, { recursive: true, force: true });
}

if (process.argv[1] === import.meta.filename) await ensureBuilt();
