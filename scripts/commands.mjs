// The commands behind `npm run …`, on the product’s own Node (see run.mjs):
//   test [unit|net|oci|e2e|all] [file …]     lint     build     demo [-- --keep]     sample-image (to standard output)
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ROOT } from './setup.mjs';

const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--test-force-exit'];
const SUFFIX = /\.(net|oci|e2e|long)\.test\.ts$/;

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function testFiles(group) {
  const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT }).sort();
  return all.filter((file) => (SUFFIX.exec(file)?.[1] ?? 'unit') === group);
}

const ISOLATED = { unit: false, net: true, oci: true, e2e: true };

function runTests(group, files) {
  if (files.length === 0) return 0;
  console.log(`\n# ${group}: ${files.length} files`);
  const flags = [
    '--test',
    '--test-timeout=600000',
    ...(ISOLATED[group] ? ['--test-concurrency=1'] : ['--test-isolation=none']),
  ];
  return run(process.execPath, [...NODE_FLAGS, ...flags, ...files]);
}

const commands = {
  test(args) {
    const groups = Object.keys(ISOLATED);
    const chosen = groups.includes(args[0]) ? [args[0]] : groups;
    const only = args.filter((arg) => !groups.includes(arg) && arg !== 'all');
    const statuses = chosen.map((group) => {
      const files = testFiles(group).filter((file) => only.length === 0 || only.some((part) => file.includes(part)));
      return runTests(group, files);
    });
    return Math.max(0, ...statuses);
  },
  lint() {
    const bin = (name) => path.join(ROOT, 'node_modules', '.bin', name);
    const steps = [
      [bin('tsc'), ['-p', '.']],
      [bin('oxlint'), ['--type-aware', '--deny-warnings']],
      [
        bin('oxfmt'),
        [
          '--check',
          ...['src', 'test', 'scripts', 'bench', 'samples'].filter((dir) => existsSync(path.join(ROOT, dir))),
        ],
      ],
    ];
    return Math.max(...steps.map(([command, args]) => run(command, args)));
  },
  async build() {
    await ensureBuilt();
    return 0;
  },
  async demo(args) {
    await ensureBuilt();
    const { runDemo } = await import('./demo/main.ts');
    return runDemo(args);
  },
  async 'sample-image'() {
    const { writeSampleImage } = await import('./sample-image.ts');
    return writeSampleImage();
  },
};

const [name, ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) throw new Error(`no such command: ${name}`);
process.exitCode = await command(args);
