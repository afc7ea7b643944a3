/**
 * `npm run demo [-- --keep]`: walks the main job on real containers, in a state directory of its own. Exit code 0 when
 * every step held; 1 when one did not, 130 when it was interrupted, and in both cases all that it made is gone too.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock.ts';
import { complaints } from './evidence.ts';
import { DemoError } from './errors.ts';
import { claimHome } from './home.ts';
import { demandRoot } from './machine.ts';
import { Screen } from './screen.ts';
import { Shell } from './shell.ts';
import { removePlatform } from './steps/departure.ts';
import type { Stage } from './tour.ts';
import { walk, type WalkOptions } from './walk.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const USAGE = 'usage: npm run demo [-- --keep]\n  --keep  leave the platform running at the end\n';

/** @param args of the command line. Answers the exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const atTheEnd = parseEnd(args);
  if (atTheEnd === undefined) {
    process.stderr.write(USAGE);
    return EXIT_USAGE;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  // Whoever read the output is gone, and with them the reason to go on.
  process.stdout.on('error', () => stop.abort());
  const screen = createScreen();
  const scratch = mkdtempSync(path.join(tmpdir(), 'pinnace-demo-'));
  try {
    demandRoot();
    using home = await claimHome();
    const env = environment(home.stateDir, scratch);
    const shell = new Shell({ cwd: ROOT, env });
    const stage = { root: ROOT, stateDir: home.stateDir, screen, shell, clock: systemClock, signal: stop.signal };
    return await perform(stage, { atTheEnd, earlier: home.earlier });
  } catch (error) {
    return explain(screen, error, stop.signal);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function perform(stage: Stage, options: WalkOptions): Promise<number> {
  try {
    await walk(stage, options);
    return 0;
  } catch (error) {
    const exitCode = explain(stage.screen, error, stage.signal);
    if (exitCode === EXIT_FAILED) for (const line of complaints(stage.stateDir)) stage.screen.output(line);
    return await cleanUp(stage, exitCode);
  }
}

/** Takes down what there is, deaf to further signals. */
async function cleanUp(stage: Stage, exitCode: number): Promise<number> {
  if (!existsSync(stage.stateDir)) return exitCode;
  const patient = { ...stage, signal: new AbortController().signal };
  stage.screen.blank();
  stage.screen.paragraph('Cleaning up.');
  try {
    stage.screen.ok(await removePlatform(patient));
    return exitCode;
  } catch (error) {
    return explain(stage.screen, error, patient.signal);
  }
}

function explain(screen: Screen, error: unknown, signal: AbortSignal): number {
  if (signal.aborted) {
    screen.failed('interrupted', undefined);
    return EXIT_INTERRUPTED;
  }
  if (error instanceof DemoError) screen.failed(error.message, error.cure);
  else if (error instanceof Error) screen.failed(error.message, error.stack);
  else screen.failed(String(error), undefined);
  return EXIT_FAILED;
}

function parseEnd(args: readonly string[]): WalkOptions['atTheEnd'] | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { keep: { type: 'boolean' } } });
    return values.keep ? 'keep' : 'remove';
  } catch {
    return undefined;
  }
}

/** As the user's own, but for what would lead to another platform, and with kubectl's cache where it is removed again. */
function environment(stateDir: string, scratch: string): Record<string, string | undefined> {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('PINNACE_'));
  const kubeconfig = path.join(stateDir, 'kubeconfig');
  return { ...Object.fromEntries(others), PINNACE_STATE_DIR: stateDir, KUBECONFIG: kubeconfig, HOME: scratch };
}

function createScreen(): Screen {
  const { isTTY, columns } = process.stdout;
  return new Screen({
    clock: systemClock,
    write: (text) => void process.stdout.write(text),
    columns: isTTY ? columns : undefined,
    hasColour: isTTY && !process.env['NO_COLOR'],
  });
}
