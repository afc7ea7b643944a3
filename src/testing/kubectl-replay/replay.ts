/** Runs the commands of a case and says where they print something else than was recorded. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { eventually } from '#testing/eventually.ts';
import type { Connection } from '#testing/http-replay/connection.ts';
import { ignoredIn, type LeftOut, wholeCase } from '#testing/http-replay/left-out.ts';
import { idleEntries } from '#testing/http-replay/replay.ts';
import { Session } from '#testing/http-replay/session.ts';
import type { KubectlCase, KubectlStep, Printed } from '#testing/kubectl-replay/case.ts';
import { plain } from '#testing/kubectl-replay/plain.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const UNTIL_MS = 60_000;
const UNTIL_INTERVAL_MS = 300;
const KILL_AFTER_MS = 60_000;

export interface Cluster {
  readonly connection: Connection;
  readonly kubeconfig: string;
  /** Where kubectl keeps what it found out about the server. Each case has a folder in it: what one has not looked at
   *  again, it must not know. */
  readonly cacheFolder: string;
  /** What the recordings call `node1`; that when absent. */
  readonly nodeName?: string;
}

export async function replayKubectl(
  cluster: Cluster,
  recorded: KubectlCase,
  exceptions: readonly LeftOut[],
): Promise<string[]> {
  using folder = new TemporaryFolder('kubectl-');
  await using session = await Session.start(cluster.connection, { ...recorded, steps: [] });
  const terminal = new Terminal(cluster, folder, session);
  terminal.prepare(recorded);
  const isToFail = wholeCase(exceptions, recorded.name) !== undefined;
  const found: string[] = [];
  for (const [position, step] of recorded.steps.entries()) {
    if (isToFail && found.length > 0) break;
    const printed = await terminal.run(step);
    if (step.quiet) continue;
    const compareWith = (entries: readonly LeftOut[]) => {
      const ignored = ignoredIn(entries, recorded.name, position);
      return ignored ? compare(step, printed, ignored) : [];
    };
    const idle = idleEntries({ exceptions, recorded, position }, compareWith);
    const lines = [...compareWith(exceptions), ...idle.map((line) => `  ${line}`)];
    if (lines.length > 0) found.push(`step ${position}, ${step.argv.join(' ')}`, ...lines);
  }
  return found;
}

class Terminal {
  readonly #folder: TemporaryFolder;
  readonly #session: Session;
  readonly #cluster: Cluster;
  #literals = '';

  constructor(cluster: Cluster, folder: TemporaryFolder, session: Session) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#session = session;
  }

  /** Lays out the files of the case and a kubeconfig whose namespace is that of the case. */
  prepare({ files = {}, steps }: KubectlCase): void {
    this.#literals = JSON.stringify([files, steps.map(({ expect: _, ...step }) => step)]);
    const config = parse(readFileSync(this.#cluster.kubeconfig, 'utf8')) as { contexts: { context: object }[] };
    const contexts = config.contexts.map((one) => ({
      ...one,
      context: { ...one.context, namespace: this.#session.namespace },
    }));
    writeFileSync(this.#folder.at('.kubeconfig'), stringify({ ...config, contexts }), { mode: 0o600 });
    for (const [name, content] of Object.entries(files)) {
      const file = this.#folder.at(name);
      mkdirSync(path.dirname(file), { recursive: true });
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(file, this.#session.filled(text));
      if (name.endsWith('.sh')) chmodSync(file, 0o755);
    }
  }

  async run(step: KubectlStep): Promise<Printed> {
    const { until, untilMs = UNTIL_MS, grep, sortLines } = step;
    let last = await this.#execute(step);
    const isDone = () => {
      const isCode = until?.code === undefined || until.code === last.code;
      return isCode && new RegExp(until?.stdout ?? '').test(last.stdout);
    };
    if (until && !isDone()) {
      const again = async () => {
        last = await this.#execute(step);
        return isDone();
      };
      // What it printed in the end is what gets compared.
      await eventually(again, { timeoutMs: untilMs, intervalMs: UNTIL_INTERVAL_MS }).catch(() => false);
    }
    const kept = (text: string) => (grep === undefined ? text : matchingLines(text, new RegExp(grep)));
    const sorted = (text: string) => (sortLines ? text.split('\n').sort().join('\n') : text);
    const stdout = sorted(kept(this.#plain(last.stdout)));
    return { code: last.code, stdout, stderr: sorted(this.#plain(last.stderr)) };
  }

  #plain(text: string): string {
    const surroundings = { namespace: this.#session.namespace, folder: this.#folder.path, literals: this.#literals };
    const { nodeName } = this.#cluster;
    const named = nodeName === undefined ? text : text.replaceAll(new RegExp(`\\b${nodeName}\\b`, 'g'), 'node1');
    return plain(named, surroundings);
  }

  #execute(step: KubectlStep): Promise<Printed> {
    const [program = '', ...argv] = step.argv.map((word) => this.#session.filled(word));
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [
      name,
      value.replaceAll('{{dir}}', this.#folder.path),
    ]);
    const env = {
      PATH: process.env['PATH'],
      HOME: this.#folder.path,
      KUBECONFIG: this.#folder.at('.kubeconfig'),
      KUBECACHEDIR: path.join(this.#cluster.cacheFolder, this.#session.namespace),
      TZ: 'UTC',
      LANG: 'C',
      ...Object.fromEntries(own),
    };
    return new Promise((resolve) => {
      const child = spawn(program, argv, { cwd: this.#folder.path, env, timeout: step.killAfterMs ?? KILL_AFTER_MS });
      const printed = { stdout: '', stderr: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
      child.stdin.on('error', () => {}).end(this.#session.filled(step.stdin ?? ''));
      child.on('error', (error) => (printed.stderr += error.message));
      child.on('close', (code) => resolve({ code, ...printed }));
    });
  }
}

function matchingLines(text: string, pattern: RegExp): string {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .join('\n');
}

function compare({ expect, ignore = [] }: KubectlStep, printed: Printed, ignored: readonly string[]): string[] {
  const names = (['code', 'stdout', 'stderr'] as const).filter(
    (name) => !ignore.includes(name) && !ignored.includes(name),
  );
  return names.flatMap((name) => {
    const [wanted, given] = [String(expect?.[name]).split('\n'), String(printed[name]).split('\n')];
    const positions = [...(wanted.length > given.length ? wanted : given).keys()];
    return positions
      .filter((at) => wanted[at] !== given[at])
      .map((at) => `  ${name}, line ${at + 1}: recorded ${wanted[at] ?? 'nothing'}, ours ${given[at] ?? 'nothing'}`);
  });
}
