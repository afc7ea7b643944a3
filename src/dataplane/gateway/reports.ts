/** What went through all workers in a period, as control is told and as metrics keep it. */
import type { MetricRegistry } from '#base/metrics.ts';
import type { ColdStartNotice, RevisionCounts, WorkerStats } from '#dataplane/gateway/messages.ts';
import { LATENCY_BOUNDS_MS } from '#dataplane/gateway/request-metrics.ts';
import type { RevisionReport } from '#protocol/link.ts';

interface Sum {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  area: number;
  requests: number;
  active: number;
}

/** Adds the workers' figures up. `queuedOf`: how many wait for a revision now. */
export function summarize(
  stats: readonly WorkerStats[],
  periodMs: number,
  queuedOf: (uid: string) => number,
): RevisionReport[] {
  const sums = new Map<string, Sum>();
  for (const { revisions } of stats) for (const revision of revisions) add(sums, revision);
  const reports: RevisionReport[] = [];
  for (const { namespace, name, uid, area, requests, active } of sums.values()) {
    const queued = Math.min(queuedOf(uid), active);
    if (area === 0 && requests === 0 && active === 0) continue;
    reports.push({ namespace, name, concurrency: area / periodMs, requests, queued, active: active - queued });
  }
  return reports;
}

function add(sums: Map<string, Sum>, { uid, namespace, name, area, requests, active }: RevisionCounts): void {
  const sum = sums.get(uid);
  if (!sum) {
    sums.set(uid, { uid, namespace, name, area, requests, active });
    return;
  }
  sum.area += area;
  sum.requests += requests;
  sum.active += active;
}

/** The gateway's own figures, for whoever scrapes them. */
export class GatewayMetrics {
  readonly #requests;
  readonly #latency;
  readonly #queued;
  readonly #coldStarts;
  readonly #coldStartMs;
  readonly #connections;
  readonly #refused;

  constructor(registry: MetricRegistry) {
    this.#requests = registry.counter('pinnace_gateway_requests_total', 'Requests, by revision and status code.');
    this.#latency = registry.histogram(
      'pinnace_gateway_request_duration_ms',
      'From the arrival of a request to the end of its answer.',
      LATENCY_BOUNDS_MS,
    );
    this.#queued = registry.gauge('pinnace_gateway_queued_requests', 'Requests that wait for a slot.');
    this.#coldStarts = registry.counter('pinnace_gateway_cold_starts_total', 'Requests that found no pod.');
    this.#coldStartMs = registry.histogram(
      'pinnace_gateway_cold_start_ms',
      'From the arrival of such a request to the first byte of its answer.',
      LATENCY_BOUNDS_MS,
    );
    this.#connections = registry.gauge('pinnace_gateway_connections', 'Open connections of clients.');
    this.#refused = registry.counter('pinnace_gateway_refused_total', 'Request heads that were refused, by cause.');
  }

  record(stats: readonly WorkerStats[], reports: readonly RevisionReport[]): void {
    for (const { revisions, refused } of stats) {
      for (const revision of revisions) this.#recordCodes(revision);
      for (const [cause, count] of Object.entries(refused)) this.#refused.add(count, { cause });
    }
    this.#connections.set(stats.reduce((sum, { connections }) => sum + connections, 0));
    for (const { namespace, name, queued } of reports) this.#queued.set(queued, { namespace, revision: name });
  }

  recordColdStart({ namespace, name, totalMs }: ColdStartNotice): void {
    this.#coldStarts.add(1, { namespace, revision: name });
    this.#coldStartMs.observe(totalMs, { namespace, revision: name });
  }

  #recordCodes({ namespace, name, codes }: RevisionCounts): void {
    for (const { code, count, sumMs, buckets } of codes) {
      const labels = { namespace, revision: name, code: `${code}` };
      this.#requests.add(count, labels);
      this.#latency.merge({ count, sum: sumMs, buckets }, labels);
    }
  }
}
