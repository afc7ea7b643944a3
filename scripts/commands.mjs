// The commands behind `npm run …`, on the product’s own Node (see run.mjs):
//   test [unit|net|oci|e2e|clients|long|all] [part of a path …]     test:clients [part of a path …]     clients
//   lint     build     demo [-- --keep]     sample-image (to standard output)
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ROOT } from './setup.mjs';

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

const commands = {
  async test(args) {
    const { runTests } = await import('./tests/main.ts');
    return runTests(args);
  },
  async clients() {
    const { installClients } = await import('./clients/install.ts');
    return installClients();
  },
  async 'test:clients'(args) {
    const missing = await this.clients();
    return Math.max(missing, await this.test(['clients', ...args]));
  },
  lint() {
    const bin = (name) => path.join(ROOT, 'node_modules', '.bin', name);
    const steps = [
      [bin('tsc'), ['-p', '.']],
      [bin('oxlint'), ['--type-aware', '--deny-warnings']],
      [bin('knip'), ['--treat-config-hints-as-errors']],
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
if (!(name in commands)) throw new Error(`no such command: ${name}`);
process.exitCode = await commands[name](args);
