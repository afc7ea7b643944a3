/** Runs test files on Node's own test runner, with a recorder beside the reporter that people read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { ROOT, type TestGroup } from './groups.ts';
import { type GroupResult, readResults } from './results.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Shells' way to say which signal ended a process. */
const SIGNAL_EXIT_BASE = 128;

export interface RunOptions {
  /** What becomes of what the runner and the tests print. */
  readonly output: 'inherit' | 'ignore';
}

type Way = Pick<TestGroup, 'name' | 'isOneProcess' | 'testTimeoutMs'>;

export async function runGroup(group: Way, files: readonly string[], { output }: RunOptions): Promise<GroupResult> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'pinnace-tests-'));
  const record = path.join(scratch, 'record');
  const startedAt = systemClock.monotonicMs();
  try {
    const exitCode = await spawnRunner([...flagsOf(group, record), ...files], output);
    const durationMs = systemClock.monotonicMs() - startedAt;
    const text = existsSync(record) ? readFileSync(record, 'utf8') : '';
    return { group: group.name, files: files.length, exitCode, durationMs, ...readResults(text) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Then nobody wants the next group either. */
export function isInterrupted({ exitCode }: GroupResult): boolean {
  return SIGNALS.some((signal) => exitCode === SIGNAL_EXIT_BASE + constants.signals[signal]);
}

function flagsOf({ isOneProcess, testTimeoutMs }: Way, record: string): string[] {
  return [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-force-exit',
    `--test-timeout=${testTimeoutMs}`,
    isOneProcess ? '--test-isolation=none' : '--test-concurrency=1',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${path.join(import.meta.dirname, 'recorder.ts')}`,
    `--test-reporter-destination=${record}`,
  ];
}

/** Passes on what asks us to stop, and waits for the runner's own end. */
async function spawnRunner(args: readonly string[], output: RunOptions['output']): Promise<number> {
  // In a test of this, the runner would take itself for a part of the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', output, output] });
  let stopped: NodeJS.Signals | undefined;
  const passOn = (signal: NodeJS.Signals) => {
    stopped = signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const ended = stopped ?? signal;
    return ended === null ? (code ?? 1) : SIGNAL_EXIT_BASE + constants.signals[ended];
  } finally {
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}
