/**
 * How a process of ours is started: the same Node, the code beside our own, from source or from `dist/`.
 */
import { fileURLToPath } from 'node:url';
import type { Command } from '#supervisor/managed-process.ts';

export type ProcessName = 'supervisor' | 'control' | 'gateway';

const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

/** Control rests most of the time: a young generation that has grown would keep 9 MB then, and saves it nothing at work. */
const FLAGS_OF: Readonly<Record<ProcessName, readonly string[]>> = {
  supervisor: [],
  control: ['--max-semi-space-size=4'],
  gateway: [],
};

/** glibc gives threads arenas of their own, which keep what was freed: two are enough, and save a tenth of our memory. */
const MEMORY_ENV = { MALLOC_ARENA_MAX: '2' };

/**
 * Every process of ours takes the state directory as its only argument. It inherits the environment but for what is meant
 * for one Node: three of them cannot listen for one debugger.
 */
export function processCommand(name: ProcessName, stateDir: string): Command {
  const { NODE_OPTIONS: _, ...environment } = process.env;
  return {
    file: process.execPath,
    args: [...NODE_FLAGS, ...FLAGS_OF[name], processCode(name), '--state-dir', stateDir],
    env: { ...MEMORY_ENV, ...environment },
  };
}

/** Path of the code of a process. */
function processCode(name: ProcessName): string {
  const runsFromSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(runsFromSource ? `../${name}.ts` : `./${name}.js`, import.meta.url));
}
