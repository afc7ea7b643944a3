/**
 * Picks what is worth an entry of the journal: a decision or plan when it differs from the one before, traffic in short
 * runs of seconds, every cold start. A revision at rest writes nothing.
 */
import type { Clock } from '#base/clock.ts';
import { deepEqual } from '#base/json.ts';
import type { TrafficSample } from '#autoscaler/collector.ts';
import type { DecisionRecord } from '#autoscaler/deciders.ts';
import type { Journal } from '#autoscaler/journal.ts';
import type { JournalEntry } from '#autoscaler/journal-entry.ts';
import type { ScaleRecord } from '#autoscaler/scaler.ts';
import type { SteadyTime } from '#autoscaler/steady-time.ts';
import { BUCKET_MS } from '#autoscaler/window.ts';
import { keyOfRef, type ObjectKey } from '#kube/object.ts';
import type { ColdStart } from '#protocol/link.ts';

/** Most seconds of traffic in one entry; as many may be missing after a crash. */
const MAX_RUN_SECONDS = 10;

export interface JournalRecorderOptions {
  readonly journal: Pick<Journal, 'record'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly time: SteadyTime;
}

interface Run {
  readonly concurrency: number[];
  readonly requests: number[];
  /** In steady time. */
  lastSecond: number;
}

export class JournalRecorder {
  readonly #options: JournalRecorderOptions;
  readonly #decisions = new Map<ObjectKey, DecisionRecord>();
  readonly #plans = new Map<ObjectKey, ScaleRecord>();
  readonly #runs = new Map<ObjectKey, Run>();

  constructor(options: JournalRecorderOptions) {
    this.#options = options;
  }

  begun(key: ObjectKey, readyPods: number): void {
    this.#record(key, { type: 'begin', at: this.#now(), readyPods });
  }

  decided(record: DecisionRecord): void {
    const { key, occasion, spec, observed, before, decision } = record;
    const last = this.#decisions.get(key);
    if (last && !isOtherDecision(last, record)) return;
    this.#decisions.set(key, record);
    const context = {
      ...(before.panicSinceMs === undefined ? {} : { panickingMs: this.#options.time() - before.panicSinceMs }),
      maxPanicPods: before.maxPanicPods,
      held: before.recent.map(({ value }) => value),
    };
    this.#record(key, { type: 'decision', at: this.#now(), occasion, spec, observed, before: context, decision });
  }

  planned(record: ScaleRecord): void {
    const { key, situation, settings, plan } = record;
    const last = this.#plans.get(key);
    if (last && !isOtherPlan(last, record)) return;
    this.#plans.set(key, record);
    this.#record(key, { type: 'scale', at: this.#now(), situation, settings, plan });
  }

  /** Seconds must come in order; one that comes twice begins another run. */
  traffic(key: ObjectKey, { second, concurrency, requests }: TrafficSample): void {
    let run = this.#runs.get(key);
    if (run && (run.lastSecond + 1 !== second || run.concurrency.length >= MAX_RUN_SECONDS)) {
      this.#endRun(key, run);
      run = undefined;
    }
    run ??= { concurrency: [], requests: [], lastSecond: second };
    this.#runs.set(key, run);
    run.lastSecond = second;
    run.concurrency.push(round(concurrency));
    run.requests.push(round(requests));
  }

  /** Writes down runs of traffic that ended. */
  endRuns(): void {
    const second = Math.floor(this.#options.time() / BUCKET_MS);
    for (const [key, run] of this.#runs) if (second - run.lastSecond > 2) this.#endRun(key, run);
  }

  coldStart({ namespace, name, at, pod, totalMs, steps }: ColdStart): void {
    this.#record(keyOfRef({ namespace, name }), { type: 'cold-start', at, pod, totalMs, steps });
  }

  forget(key: ObjectKey): void {
    const run = this.#runs.get(key);
    if (run) this.#endRun(key, run);
    this.#decisions.delete(key);
    this.#plans.delete(key);
  }

  #endRun(key: ObjectKey, { lastSecond, concurrency, requests }: Run): void {
    this.#runs.delete(key);
    const ageMs = this.#options.time() - lastSecond * BUCKET_MS;
    this.#record(key, { type: 'traffic', at: this.#now() - ageMs, concurrency, requests });
  }

  #record(key: ObjectKey, entry: JournalEntry): void {
    this.#options.journal.record(key, entry);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function isOtherDecision(last: DecisionRecord, next: DecisionRecord): boolean {
  const before = last.decision;
  const after = next.decision;
  return (
    before.desired !== after.desired ||
    before.panicking !== after.panicking ||
    before.excessBurstCapacity < 0 !== after.excessBurstCapacity < 0 ||
    last.observed.readyPods !== next.observed.readyPods ||
    last.spec !== next.spec ||
    !isSameList(before.reasons, after.reasons)
  );
}

/** That a scale was applied and need not be applied again is no news. */
function isOtherPlan(last: ScaleRecord, next: ScaleRecord): boolean {
  const before = last.plan;
  const after = next.plan;
  return (
    before.want !== after.want ||
    (after.action.type === 'scale' && !deepEqual(before.action, after.action)) ||
    last.situation.activity !== next.situation.activity ||
    !isSameList(before.reasons, after.reasons)
  );
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each, index) => each === right[index]);
}

/** Thousandths are plenty, and short. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
