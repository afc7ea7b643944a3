/**
 * The layers of the product, as data, and the rules that keep it readable, each checked on every source file. The
 * table is the truth: a crossing that is not in it is a mistake in the code or a decision to record here.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const ROOT = path.dirname(import.meta.dirname);

/** layer → the layers that it may import, beside itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  sys: ['base'],
  kube: ['base'],
  knative: ['base', 'kube'],
  protocol: ['base', 'kube', 'knative'],
  store: ['base', 'kube'],
  client: ['base', 'kube'],
  apiserver: ['base', 'sys', 'kube', 'protocol', 'store', 'client'],
  controller: ['base', 'kube', 'knative', 'client'],
  serving: ['base', 'kube', 'knative', 'protocol', 'client', 'controller'],
  ingress: ['base', 'kube', 'knative', 'protocol', 'client', 'controller'],
  autoscaler: ['base', 'kube', 'knative', 'protocol', 'client', 'controller'],
  workloads: ['base', 'kube', 'knative', 'protocol', 'client', 'controller'],
  runtime: ['base', 'sys', 'kube', 'knative', 'protocol', 'client', 'controller'],
  dataplane: ['base', 'sys', 'protocol'],
  supervisor: ['base', 'sys', 'protocol'],
  cli: ['base', 'sys', 'kube', 'knative', 'protocol', 'client', 'autoscaler', 'runtime', 'supervisor'],
  main: ['*'],
};

/** Only these may start processes. */
const MAY_SPAWN = [/^src\/runtime\/drivers\//, /^src\/supervisor\//, /^src\/main\//, /^src\/cli\//];

/** Only these may read the time, set timers or draw random numbers. */
const MAY_KNOW_TIME = [/^src\/base\/clock\.ts$/];

/** Only these may call into the system by ffi. */
const MAY_USE_FFI = [/^src\/sys\//];

const MAX_README_LINES = 20;

interface Source {
  readonly file: string;
  readonly layer: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /^(?:import|export)\s+(?:[\w*{},\s]+?\sfrom\s+)?'([^'\n]+)';/gm;
const DYNAMIC_IMPORT = /\bimport\('([^']+)'\)/g;

function sources(): Source[] {
  return globSync('src/**/*.ts', { cwd: ROOT })
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(ROOT, file), 'utf8');
      const found = [...text.matchAll(IMPORT), ...text.matchAll(DYNAMIC_IMPORT)];
      const imports = found.map((match) => match[1] ?? '');
      return { file, layer: file.split('/')[1] ?? '', text, imports };
    });
}

const isTest = (file: string) => file.endsWith('.test.ts') || file.includes('/fixtures/');
const product = sources().filter(({ file, layer }) => !isTest(file) && layer !== 'testing');

test('there is something to check', () => {
  assert.ok(product.length > 60, `only ${product.length} files were seen`);
  assert.ok(product.some(({ imports }) => imports.some((name) => name.startsWith('#'))));
});

test('every layer is in the table', () => {
  const unknown = product.filter(({ layer }) => !(layer in LAYERS)).map(({ file }) => file);
  assert.deepEqual(unknown, []);
});

test('imports cross layers only as the table allows', () => {
  const wrong: string[] = [];
  for (const { file, layer, imports } of product) {
    for (const name of imports.filter((one) => one.startsWith('#'))) {
      const target = name.slice(1).split('/')[0] ?? '';
      const allowed = LAYERS[layer] ?? [];
      if (target !== layer && !allowed.includes('*') && !allowed.includes(target))
        wrong.push(`${file} imports ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('relative imports stay within a folder; layers are crossed by their alias', () => {
  const wrong = product.flatMap(({ file, imports }) =>
    imports.filter((name) => name.startsWith('../')).map((name) => `${file} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('nothing that ships imports test support, and nothing imports main', () => {
  const wrong = product.flatMap(({ file, layer, imports }) =>
    imports
      .filter((name) => name.startsWith('#testing/') || (name.startsWith('#main/') && layer !== 'main'))
      .map((name) => `${file} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('packages come from the list of dependencies', () => {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const wrong = product.flatMap(({ file, imports }) =>
    imports
      .filter((name) => !name.startsWith('#') && !name.startsWith('.') && !name.startsWith('node:'))
      .filter((name) => !(name in manifest.dependencies))
      .map((name) => `${file} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

function offenders(pattern: RegExp, allowed: readonly RegExp[]): string[] {
  return product
    .filter(({ file, text }) => pattern.test(withoutComments(text)) && !allowed.some((one) => one.test(file)))
    .map(({ file }) => file);
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

test('only the clock knows time and chance', () => {
  const pattern =
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(|\bperformance\.now\(|node:timers/;
  assert.deepEqual(offenders(pattern, MAY_KNOW_TIME), []);
});

test('only the runtime drivers, the supervisor, the command line and the roots start processes', () => {
  assert.deepEqual(offenders(/node:child_process|#sys\/spawn\.ts/, MAY_SPAWN), []);
});

test('only sys calls into the system', () => {
  assert.deepEqual(offenders(/node:ffi/, MAY_USE_FFI), []);
});

test('only main reads the environment', () => {
  assert.deepEqual(offenders(/\bprocess\.env\b/, [/^src\/main\//]), []);
});

test('imports make no cycle', () => {
  const byFile = new Map(product.map((source) => [source.file, source]));
  const targetOf = (from: string, name: string) =>
    name.startsWith('#') ? `src/${name.slice(1)}` : path.posix.join(path.posix.dirname(from), name);
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]) => {
    if (state.get(file) === 'done' || !byFile.has(file)) return;
    if (state.get(file) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    const { text } = byFile.get(file) as Source;
    for (const match of text.matchAll(/^(?:import|export)(?! type)[^;]*?from '([#.][^']+)'/gm)) {
      visit(targetOf(file, match[1] ?? ''), [...trail, file]);
    }
    state.set(file, 'done');
  };
  for (const { file } of product) visit(file, []);
  assert.deepEqual(cycles, []);
});

test('every folder of a layer opens with a short README', () => {
  const folders = [...new Set(product.map(({ layer }) => `src/${layer}`))];
  const missing = folders.filter((folder) => !existsSync(path.join(ROOT, folder, 'README.md')));
  assert.deepEqual(missing, []);
  const long = globSync('src/**/README.md', { cwd: ROOT }).filter(
    (file) => readFileSync(path.join(ROOT, file), 'utf8').trimEnd().split('\n').length > MAX_README_LINES,
  );
  assert.deepEqual(long, []);
});

test('what is in the repository speaks of the product alone', () => {
  const files = globSync(
    [
      'src/**/*',
      'test/**/*',
      'bench/**/*',
      'scripts/**/*',
      'samples/**/*',
      'docs/**/*',
      '*.md',
      'package*.json',
      'bin/*',
    ],
    {
      cwd: ROOT,
      // What clients bring is theirs.
      exclude: ['**/node_modules/**'],
      withFileTypes: true,
    },
  ).filter((entry) => entry.isFile() && entry.name !== 'architecture.test.ts');
  assert.ok(files.length > 80, `only ${files.length} files were seen`);
  const wrong = files
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) =>
      /\/work\/(main|shared)|"resolved": *"https?:|registry\.npmjs\.org/.test(readFileSync(file, 'utf8')),
    );
  assert.deepEqual(wrong, []);
});
