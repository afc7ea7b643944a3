/**
 * What the gateway reported of each revision, averaged over its windows (facts: 7.1, 7.2).
 *
 * The gateway is the only source on one machine and counts every request once, waiting ones included; so the reports
 * stand for what Knative learns from activators and from scraping pods, and nothing has to be subtracted. Three rules
 * keep the averages what they would be there:
 * - a report says nothing of a revision without traffic: while it has a ready pod that counts as zero, as a scrape
 *   would have found; without one it counts as no data.
 * - `activate` is ahead of the report of its second: what it told is taken off the next report again.
 * - without reports for a whole window there is no average at all, so nothing is decided on the silence of a gateway
 *   that is gone.
 *
 * While reports keep coming, averages are those of the newest one. In Knative it is chance whether a decision falls just
 * after a scrape or just before the next, and then the newest second is empty: with a panic window of one second such a
 * revision never panics. Here all revisions share one rhythm, so it would be all of them or none.
 */
import type { Clock } from '#base/clock.ts';
import type { ScalingMetric } from '#autoscaler/targets.ts';
import type { SteadyTime } from '#autoscaler/steady-time.ts';
import { type Aggregation, BUCKET_MS, TimedWindow } from '#autoscaler/window.ts';
import { type ObjectKey, keyOfRef } from '#kube/object.ts';
import { type Activate, type Report, REPORT_PERIOD_MS, type RevisionReport } from '#protocol/link.ts';

/** Oldest that a report may say that it is; one that claims more was written before the machine's clock was set. */
const MAX_REPORT_AGE_MS = 10_000;
/** How far a report may be off its second before the rhythm is taken up anew, in ms. */
const MAX_JITTER_MS = 300;
/** How old the newest report may be and still stand for now: until the next one is overdue. */
const MAX_FRESH_MS = REPORT_PERIOD_MS + 2 * MAX_JITTER_MS;
/** Most seconds that one report speaks for. */
const MAX_REPORT_SECONDS = 30;
/** Without a report for so long, the gateway is taken to be gone. */
const GATEWAY_SILENCE_MS = 5_000;
/** Most revisions that somebody waits for and that aren't known yet. */
const MAX_UNKNOWN = 1_000;
/** How long a request that was told of before its revision was known still counts. */
const UNKNOWN_KEPT_MS = 3_000;

export interface CollectionSpec {
  readonly stableMs: number;
  readonly panicMs: number;
  readonly aggregation: Aggregation;
  /** False for a revision that is always behind the activator: nobody asks its pods, silence means no traffic. */
  readonly isScraped: boolean;
}

export interface Averages {
  readonly stable: number;
  readonly panic: number;
}

/** One second of traffic as it was reported. */
export interface TrafficSample {
  readonly second: number;
  readonly concurrency: number;
  readonly requests: number;
}

export interface CollectorOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly time: SteadyTime;
  readonly readyPods: (key: ObjectKey) => number;
  /** Told each second of a revision that had traffic. */
  readonly onTraffic?: ((key: ObjectKey, sample: TrafficSample) => void) | undefined;
}

export class Collector {
  readonly #options: CollectorOptions;
  readonly #collections = new Map<ObjectKey, Collection>();
  readonly #unknown = new Map<ObjectKey, { readonly atMs: number; readonly queued: number }>();
  #lastReportMs = -Infinity;
  #lastHeardMs = -Infinity;
  /** The newest instant that anything was told of. */
  #newestMs = -Infinity;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#collections.size;
  }

  /**
   * Begins to collect for a revision, or goes on with other windows, keeping what they hold. True when requests wait
   * that were told of before the revision was known.
   */
  follow(key: ObjectKey, spec: CollectionSpec): boolean {
    const nowMs = this.#options.time();
    const known = this.#collections.get(key);
    if (known?.spec.aggregation === spec.aggregation) {
      known.change(spec, nowMs);
      return false;
    }
    const collection = new Collection(spec);
    this.#collections.set(key, collection);
    const waiting = this.#unknown.get(key);
    this.#unknown.delete(key);
    const isWaiting = waiting !== undefined && nowMs - waiting.atMs <= UNKNOWN_KEPT_MS;
    return isWaiting && collection.recordAhead(nowMs, waiting.queued);
  }

  forget(key: ObjectKey): void {
    this.#collections.delete(key);
  }

  /** Takes a report in and answers which of the known revisions have requests waiting. */
  onReport(report: Report): ObjectKey[] {
    const atMs = this.#instantOf(report);
    const waiting: ObjectKey[] = [];
    const reported = new Set<ObjectKey>();
    for (const revision of report.revisions) {
      const key = keyOfRef(revision);
      const collection = this.#collections.get(key);
      if (!collection) continue;
      reported.add(key);
      collection.recordReport(atMs, report.periodMs, revision);
      if (revision.queued > 0) waiting.push(key);
      this.#tellTraffic(key, atMs, { report, revision });
    }
    for (const [key, collection] of this.#collections)
      if (!reported.has(key)) this.#recordSilence(key, collection, atMs);
    return waiting;
  }

  /** Takes in that requests wait. True when that was news; what the last report told already isn't. */
  onActivate(message: Activate): boolean {
    const key = keyOfRef(message);
    const nowMs = this.#options.time();
    const queued = Math.max(1, message.queued);
    const collection = this.#collections.get(key);
    if (collection) {
      this.#newestMs = Math.max(this.#newestMs, nowMs);
      return collection.recordAhead(nowMs, queued);
    }
    if (this.#unknown.size >= MAX_UNKNOWN) this.#dropOldestUnknown();
    this.#unknown.set(key, { atMs: nowMs, queued });
    return false;
  }

  /** The averages now; undefined when there are no data to decide on. */
  observe(key: ObjectKey, metric: ScalingMetric): Averages | undefined {
    const collection = this.#collections.get(key);
    if (!collection) return undefined;
    const nowMs = this.#options.time();
    const { stable, panic } = metric === 'rps' ? collection.requests : collection.concurrency;
    const isSilenceData = !collection.spec.isScraped && nowMs - this.#lastHeardMs <= GATEWAY_SILENCE_MS;
    const atMs = nowMs - this.#newestMs <= MAX_FRESH_MS ? this.#newestMs : nowMs;
    if (stable.isEmpty(atMs) && !isSilenceData) return undefined;
    return { stable: stable.average(atMs), panic: panic.average(atMs) };
  }

  #recordSilence(key: ObjectKey, collection: Collection, atMs: number): void {
    collection.endOfLoad();
    if (collection.spec.isScraped && this.#options.readyPods(key) > 0) collection.record(atMs, 0, 0);
  }

  /** The end of the report's period, in steady time and in step with the reports before. */
  #instantOf(report: Report): number {
    const nowMs = this.#options.time();
    const ageMs = Math.min(Math.max(0, this.#options.clock.now() - report.at), MAX_REPORT_AGE_MS);
    const expected = this.#lastReportMs + secondsOf(report.periodMs) * REPORT_PERIOD_MS;
    const isInStep = Math.abs(nowMs - ageMs - expected) <= MAX_JITTER_MS;
    // Timers waver; without this, two reports would now and then fall into one second and none into the next.
    this.#lastReportMs = isInStep ? expected : nowMs - ageMs;
    this.#lastHeardMs = nowMs;
    this.#newestMs = Math.max(this.#newestMs, this.#lastReportMs);
    return this.#lastReportMs;
  }

  #tellTraffic(key: ObjectKey, atMs: number, of: { report: Report; revision: RevisionReport }): void {
    const { concurrency, requests } = of.revision;
    if (concurrency === 0 && requests === 0) return;
    const second = Math.floor(atMs / BUCKET_MS);
    this.#options.onTraffic?.(key, { second, concurrency, requests: perSecond(requests, of.report.periodMs) });
  }

  #dropOldestUnknown(): void {
    const [oldest] = this.#unknown.keys();
    if (oldest !== undefined) this.#unknown.delete(oldest);
  }
}

interface MetricWindows {
  readonly stable: TimedWindow;
  readonly panic: TimedWindow;
}

/** What is kept of one revision. */
class Collection {
  spec: CollectionSpec;
  readonly concurrency: MetricWindows;
  readonly requests: MetricWindows;
  /** Requests that `activate` told of and no report yet. */
  #ahead = 0;
  /** Requests that waited at the end of the last report. */
  #queued = 0;

  constructor(spec: CollectionSpec) {
    this.spec = spec;
    this.concurrency = windowsOf(spec);
    this.requests = windowsOf(spec);
  }

  change(spec: CollectionSpec, nowMs: number): void {
    this.spec = spec;
    for (const { stable, panic } of [this.concurrency, this.requests]) {
      stable.resize(spec.stableMs, nowMs);
      panic.resize(spec.panicMs, nowMs);
    }
  }

  recordReport(atMs: number, periodMs: number, report: RevisionReport): void {
    const seconds = secondsOf(periodMs);
    // A period of less than a second, at the end of a gateway's life, weighs only as much as it lasted.
    const share = shareOf(periodMs);
    const concurrency = Math.max(0, report.concurrency * share - this.#ahead);
    const requests = Math.max(0, perSecond(report.requests, periodMs) - this.#ahead);
    for (let back = seconds - 1; back >= 0; back -= 1) this.record(atMs - back * BUCKET_MS, concurrency, requests);
    this.#ahead = 0;
    this.#queued = report.queued;
  }

  /** No traffic in the last report. */
  endOfLoad(): void {
    this.#ahead = 0;
    this.#queued = 0;
  }

  /** Records what waits beyond what is known; false when nothing does. */
  recordAhead(nowMs: number, queued: number): boolean {
    const more = queued - this.#queued - this.#ahead;
    if (more <= 0) return false;
    this.#ahead += more;
    this.record(nowMs, more, more);
    return true;
  }

  record(atMs: number, concurrency: number, requests: number): void {
    this.concurrency.stable.record(atMs, concurrency);
    this.concurrency.panic.record(atMs, concurrency);
    this.requests.stable.record(atMs, requests);
    this.requests.panic.record(atMs, requests);
  }
}

function windowsOf({ aggregation, stableMs, panicMs }: CollectionSpec): MetricWindows {
  return { stable: new TimedWindow(aggregation, stableMs), panic: new TimedWindow(aggregation, panicMs) };
}

/** How many seconds a period stands for: timers waver around one, and a gateway that was held up reports several. */
function secondsOf(periodMs: number): number {
  return Math.min(Math.max(1, Math.round(periodMs / REPORT_PERIOD_MS)), MAX_REPORT_SECONDS);
}

/** 1 for a period that is a second but for a timer's wavering. */
function shareOf(periodMs: number): number {
  return periodMs >= REPORT_PERIOD_MS - MAX_JITTER_MS ? 1 : periodMs / REPORT_PERIOD_MS;
}

/** Requests a second; those of a short period are all there were in its second. */
function perSecond(requests: number, periodMs: number): number {
  return shareOf(periodMs) < 1 ? requests : (requests * REPORT_PERIOD_MS) / periodMs;
}
