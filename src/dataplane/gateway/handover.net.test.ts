/** Gateway processes come and go on listeners that somebody else holds: nobody is refused. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#testing/eventually.ts';
import { endpoint, oneApp } from '#dataplane/fixtures/harness.ts';
import { emptyRoutingTable } from '#protocol/routing.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';

const ENTRY = path.join(import.meta.dirname, '../fixtures/gateway-process.ts');

/** Holds the listeners, and starts a gateway again whenever it ends. */
class StandInSupervisor implements AsyncDisposable {
  readonly #fds = [0, 0].map(() => listenTcp({ address: '127.0.0.1', port: 0 }));
  readonly #stateDir: string;
  #child: ChildProcess;
  #stopping = false;
  starts = 0;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#child = this.#start();
  }

  get port(): number {
    return boundAddress(this.#fds[0] ?? -1)?.port ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #start(): ChildProcess {
    this.starts += 1;
    const args = ['--disable-warning=ExperimentalWarning', ENTRY, this.#stateDir];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', ...this.#fds] });
    child.once('exit', () => {
      if (!this.#stopping) this.#child = this.#start();
    });
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exited;
    for (const fd of this.#fds) closeSync(fd);
  }
}

interface Outcomes {
  ok: number;
  /** An answer that is none of the application's. */
  wrong: number;
  cut: number;
  refused: number;
  worstMs: number;
}

/** Requests without end, each on a connection of its own. */
function load(port: number, clients: number): { readonly outcomes: Outcomes; readonly stop: () => Promise<void> } {
  const outcomes: Outcomes = { ok: 0, wrong: 0, cut: 0, refused: 0, worstMs: 0 };
  const stop = new AbortController();
  const once = () =>
    new Promise<void>((resolve) => {
      const begun = systemClock.monotonicMs();
      const request = http.get(
        { port, host: '127.0.0.1', agent: false, headers: { host: 'app.example.com' } },
        (answer) => {
          answer.resume();
          answer.on('error', () => {});
          answer.on('close', () => {
            if (answer.statusCode !== 200 || !answer.complete) outcomes.wrong += answer.complete ? 1 : 0;
            else outcomes.ok += 1;
            outcomes.worstMs = Math.max(outcomes.worstMs, systemClock.monotonicMs() - begun);
            resolve();
          });
        },
      );
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') outcomes.refused += 1;
        else outcomes.cut += 1;
        resolve();
      });
    });
  const loops = Array.from({ length: clients }, async () => {
    while (!stop.signal.aborted) await once();
  });
  return {
    outcomes,
    stop: async () => {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

async function withGateway(run: (supervisor: StandInSupervisor) => Promise<void>): Promise<void> {
  const app = http.createServer((_, answer) => answer.end('ok'));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const address = app.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const stateDir = mkdtempSync(path.join(tmpdir(), 'pinnace-handover-'));
  const table = { ...emptyRoutingTable, epoch: 'e', version: 1, ...oneApp([endpoint(port)]) };
  writeFileSync(path.join(stateDir, 'routing.json'), JSON.stringify(table));
  try {
    await using supervisor = new StandInSupervisor(stateDir);
    await run(supervisor);
  } finally {
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
    rmSync(stateDir, { recursive: true, force: true });
  }
}

test('kill -9 under load, three times: no connection is refused, only accepted ones are cut', async () => {
  await withGateway(async (supervisor) => {
    const { outcomes, stop } = load(supervisor.port, 10);
    for (let death = 0; death < 3; death += 1) {
      const before = outcomes.ok;
      await eventually(() => outcomes.ok > before + 200, { timeoutMs: 20_000, what: 'requests to be served' });
      supervisor.kill('SIGKILL');
      await eventually(() => supervisor.starts === death + 2);
    }
    const before = outcomes.ok;
    await eventually(() => outcomes.ok > before + 200, { timeoutMs: 20_000 });
    await stop();
    assert.deepEqual({ refused: outcomes.refused, wrong: outcomes.wrong }, { refused: 0, wrong: 0 });
    assert.ok(outcomes.cut <= 3 * 10, `${outcomes.cut} cut`);
  });
});

test('an orderly restart under load: nothing is refused and nothing is cut', async () => {
  await withGateway(async (supervisor) => {
    const { outcomes, stop } = load(supervisor.port, 10);
    for (let restart = 0; restart < 2; restart += 1) {
      const before = outcomes.ok;
      await eventually(() => outcomes.ok > before + 200, { timeoutMs: 20_000 });
      supervisor.kill('SIGTERM');
      await eventually(() => supervisor.starts === restart + 2, { timeoutMs: 20_000 });
    }
    const before = outcomes.ok;
    await eventually(() => outcomes.ok > before + 200, { timeoutMs: 20_000 });
    await stop();
    const { refused, wrong, cut } = outcomes;
    assert.deepEqual({ refused, wrong, cut }, { refused: 0, wrong: 0, cut: 0 });
  });
});
