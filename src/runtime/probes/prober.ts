/**
 * Runs the probes of one life of one container.
 *
 *     process runs ─▶ startup probe (if any) ─▶ readiness and liveness side by side until the life ends
 *
 * Readiness begins eager: every millisecond for the first hundred tries, then slower by a tenth each time up to the
 * declared period, until it first succeeds; then it keeps to the period. Liveness and startup keep to theirs. A check
 * that could not be made is told and otherwise as if it had not been due.
 */
import { isAbort } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import type { Probe } from '#kube/kinds/core/probe.ts';
import { check, type CheckResult, type CheckTarget } from '#runtime/probes/check.ts';

const EAGER_INTERVAL_MS = 1;
const EAGER_TRIES = 100;
const EAGER_GROWTH = 1.1;

/** An application may take this long to listen before anybody is told that it does not. */
const PATIENCE_MS = 2_000;

/** Commands cost a process each: they are never tried more often than this. */
const MIN_EXEC_INTERVAL_MS = 100;

/** Eager tries wait this long for a connection: an address that swallows packets must not stop the next try. */
const EAGER_TIMEOUT_MS = 250;

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProberEvents {
  /** The startup probe succeeded, or there is none. */
  onStarted(): void;
  onReady(isReady: boolean): void;
  /** The container must be stopped: its liveness or startup probe failed for good. */
  onUnhealthy(kind: ProbeKind, message: string): void;
  /** One check did not succeed; for the event Unhealthy. Of eager tries only one per period is told, after a while. */
  onTrouble(kind: ProbeKind, result: CheckResult): void;
}

export interface ProberOptions {
  readonly clock: Clock;
  readonly target: CheckTarget;
  readonly events: ProberEvents;
}

/** Runs until `signal` aborts, which is the end of the container's life. Never throws. */
export async function runProbes({ clock, target, events }: ProberOptions, signal: AbortSignal): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = target.container;
  const runner = new ProbeRunner(clock, target, signal);
  try {
    if (startupProbe && !(await runStartup(runner, startupProbe, events))) return;
    events.onStarted();
    const readiness = readinessProbe
      ? runReadiness(runner, readinessProbe, events)
      : Promise.resolve(events.onReady(true));
    const liveness = livenessProbe ? runLiveness(runner, livenessProbe, events) : Promise.resolve();
    await Promise.all([readiness, liveness]);
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
}

async function runStartup(runner: ProbeRunner, probe: Probe, events: ProberEvents): Promise<boolean> {
  await runner.sleep(seconds(probe.initialDelaySeconds, 0));
  for (let failures = 0; ;) {
    const result = await runner.check(probe, timeoutOf(probe));
    if (result.outcome === 'success') return true;
    if (result.outcome === 'failure') failures += 1;
    events.onTrouble('startup', result);
    if (failures >= (probe.failureThreshold ?? 3)) {
      events.onUnhealthy('startup', result.message);
      return false;
    }
    await runner.sleep(periodOf(probe));
  }
}

async function runReadiness(runner: ProbeRunner, probe: Probe, events: ProberEvents): Promise<void> {
  await runner.sleep(seconds(probe.initialDelaySeconds, 0));
  await becomeReady(runner, probe, events);
  events.onReady(true);
  let isReady = true;
  let streak = 0;
  for (;;) {
    await runner.sleep(periodOf(probe));
    const result = await runner.check(probe, timeoutOf(probe));
    if (result.outcome !== 'success') events.onTrouble('readiness', result);
    if (result.outcome === 'unknown') continue;
    const isWell = result.outcome === 'success';
    streak = isWell === isReady ? 0 : streak + 1;
    const threshold = isReady ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
    if (streak < threshold) continue;
    isReady = isWell;
    streak = 0;
    events.onReady(isReady);
  }
}

/** Tries eagerly until the probe has succeeded as often in a row as it must. */
async function becomeReady(runner: ProbeRunner, probe: Probe, events: ProberEvents): Promise<void> {
  const threshold = probe.successThreshold ?? 1;
  let successes = 0;
  let tellAt = runner.now() + PATIENCE_MS;
  let intervalMs = probe.exec ? MIN_EXEC_INTERVAL_MS : EAGER_INTERVAL_MS;
  for (let tries = 1; ; tries += 1) {
    const timeoutMs = probe.exec
      ? timeoutOf(probe)
      : Math.min(timeoutOf(probe), Math.max(EAGER_TIMEOUT_MS, intervalMs));
    const result = await runner.check(probe, timeoutMs);
    if (result.outcome !== 'unknown') successes = result.outcome === 'success' ? successes + 1 : 0;
    if (successes >= threshold) return;
    if (result.outcome !== 'success' && runner.now() >= tellAt) {
      events.onTrouble('readiness', result);
      tellAt = runner.now() + periodOf(probe);
    }
    if (tries > EAGER_TRIES) intervalMs = Math.min(periodOf(probe), intervalMs * EAGER_GROWTH);
    await runner.sleep(intervalMs);
  }
}

async function runLiveness(runner: ProbeRunner, probe: Probe, events: ProberEvents): Promise<void> {
  await runner.sleep(seconds(probe.initialDelaySeconds, 0));
  for (let failures = 0; ;) {
    await runner.sleep(periodOf(probe));
    const result = await runner.check(probe, timeoutOf(probe));
    if (result.outcome === 'success') {
      failures = 0;
      continue;
    }
    events.onTrouble('liveness', result);
    if (result.outcome === 'unknown') continue;
    failures += 1;
    if (failures >= (probe.failureThreshold ?? 3)) return events.onUnhealthy('liveness', result.message);
  }
}

class ProbeRunner {
  readonly #clock: Clock;
  readonly #target: CheckTarget;
  readonly #signal: AbortSignal;

  constructor(clock: Clock, target: CheckTarget, signal: AbortSignal) {
    this.#clock = clock;
    this.#target = target;
    this.#signal = signal;
  }

  now(): number {
    return this.#clock.monotonicMs();
  }

  sleep(ms: number): Promise<void> {
    return this.#clock.sleep(ms, this.#signal);
  }

  async check(probe: Probe, timeoutMs: number): Promise<CheckResult> {
    const timeout = new AbortController();
    const stop = () => timeout.abort(this.#signal.reason);
    this.#signal.addEventListener('abort', stop, { once: true });
    using _ = this.#clock.after(timeoutMs, () => timeout.abort(new Error('timed out')));
    try {
      return await check(probe, this.#target, timeout.signal);
    } finally {
      this.#signal.removeEventListener('abort', stop);
      this.#signal.throwIfAborted();
    }
  }
}

function seconds(value: number | undefined, otherwise: number): number {
  return (value ?? otherwise) * 1_000;
}

function periodOf({ periodSeconds }: Probe): number {
  return seconds(periodSeconds || undefined, 10);
}

function timeoutOf({ timeoutSeconds }: Probe): number {
  return seconds(timeoutSeconds || undefined, 1);
}
