/**
 * Ends a container: `preStop`, then its stop signal, then SIGKILL when the grace period is over. The grace period counts
 * from the beginning, so a slow `preStop` leaves less for the rest; at least `MIN_AFTER_PRESTOP_MS` remain. A signal that
 * the runtime could not send is logged; SIGKILL is sent until the container has ended.
 */
import http from 'node:http';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import type { ContainerDriver } from '#runtime/drivers/driver.ts';

const MIN_AFTER_PRESTOP_MS = 2_000;

/** How often SIGKILL is sent again while a container does not end (it hangs in the kernel, say). */
const KILL_AGAIN_MS = 1_000;

/** How often a deadline is looked at, since a second deletion may bring it forward. */
const DEADLINE_CHECK_MS = 100;

export interface StopRequest {
  readonly container: Container;
  readonly id: string;
  readonly address: string;
  readonly stopSignal: string;
  /** When SIGKILL is due, ms since the epoch; asked again and again, since a second deletion may shorten it. */
  readonly deadline: () => number;
  /** Resolves when the container has ended. */
  readonly ended: Promise<void>;
}

export interface StopEnvironment {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly driver: ContainerDriver;
}

/** Resolves when the container has ended. */
export async function stopContainer(env: StopEnvironment, request: StopRequest, signal: AbortSignal): Promise<void> {
  const { clock } = env;
  const { ended, deadline, container } = request;
  const end = new AbortController();
  void ended.then(() => end.abort());
  const until = AbortSignal.any([signal, end.signal]);
  const pause = (ms: number) => clock.sleep(ms, until).catch(() => undefined);
  const hasPreStop = container.lifecycle?.preStop !== undefined;
  if (hasPreStop) await preStop(env, request, until);
  if (until.aborted) return signal.throwIfAborted();
  await send(env, request, request.stopSignal, signal);
  const least = clock.now() + (hasPreStop ? MIN_AFTER_PRESTOP_MS : 0);
  for (
    let left = leftOf(deadline(), least, clock);
    left > 0 && !until.aborted;
    left = leftOf(deadline(), least, clock)
  ) {
    await pause(Math.min(DEADLINE_CHECK_MS, left));
  }
  while (!until.aborted) {
    await send(env, request, 'KILL', signal);
    await pause(KILL_AGAIN_MS);
  }
  signal.throwIfAborted();
}

async function send(
  { driver, logger }: StopEnvironment,
  { id, container }: StopRequest,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await driver.kill(id, name, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.warn('a signal could not be sent to a container', { container: container.name, signal: name, error });
  }
}

function leftOf(deadline: number, least: number, clock: Clock): number {
  return Math.max(deadline, least) - clock.now();
}

/** Its failure is logged and changes nothing, as in Kubernetes. Ends at the deadline. */
async function preStop(env: StopEnvironment, request: StopRequest, signal: AbortSignal): Promise<void> {
  const { clock, logger } = env;
  const timeout = new AbortController();
  using _ = clock.after(Math.max(0, request.deadline() - clock.now()), () =>
    timeout.abort(new Error('the grace period is over')),
  );
  const both = AbortSignal.any([signal, timeout.signal]);
  try {
    await runHook(env, request, both);
  } catch (error) {
    if (signal.aborted) return;
    logger.warn('preStop hook failed', { container: request.container.name, error });
  }
}

async function runHook(
  { clock, driver }: StopEnvironment,
  { container, id, address }: StopRequest,
  signal: AbortSignal,
): Promise<void> {
  const hook = container.lifecycle?.preStop;
  if (hook?.sleep) await clock.sleep(hook.sleep.seconds * 1_000, signal);
  if (hook?.exec) {
    const child = driver.exec({
      id,
      args: hook.exec.command ?? [],
      stdin: null,
      stdout: null,
      stderr: null,
      tty: false,
    });
    signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
    const code = await child.exit;
    if (code !== 0) throw new Error(`the command exited with code ${code}`);
  }
  if (hook?.httpGet) {
    const { host = address, port, path = '/', httpHeaders = [] } = hook.httpGet;
    await get(
      {
        host,
        port: Number(port),
        path,
        headers: Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])),
      },
      signal,
    );
  }
}

function get(options: http.RequestOptions, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get({ ...options, signal, agent: false }, (response) => {
      response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}
