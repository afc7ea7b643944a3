/** What `/metrics` says of requests, under the names that dashboards of Kubernetes know. */
import type { Clock } from '#base/clock.ts';
import type { Labels, Metric, MetricRegistry } from '#base/metrics.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { ApiPath } from '#apiserver/http/path.ts';
import { verbFor } from '#apiserver/http/verb.ts';
import type { Registry } from '#apiserver/registry.ts';
import { subresourceOf } from '#apiserver/resources.ts';

/** Seconds. */
const DURATION_BOUNDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

const NOTHING_SERVED = { component: 'apiserver', group: '', version: '', resource: '', subresource: '', scope: '' };

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface Observed {
  end(): void;
}

export class RequestMetrics {
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #total: Metric;
  readonly #durations: Metric;
  readonly #inFlight: Metric;
  readonly #longRunning: Metric;
  readonly #watchEvents: Metric;
  readonly #cpu: Metric;
  readonly #memory: Metric;

  constructor(metrics: MetricRegistry, { clock, registry }: { readonly clock: Clock; readonly registry: Registry }) {
    this.#clock = clock;
    this.#registry = registry;
    this.#total = metrics.counter(
      'apiserver_request_total',
      'Requests answered, by what they were and how they ended.',
    );
    this.#durations = metrics.histogram(
      'apiserver_request_duration_seconds',
      'Time from a request to the end of its answer; watches are left out.',
      DURATION_BOUNDS,
    );
    this.#inFlight = metrics.gauge('apiserver_current_inflight_requests', 'Requests under way, by whether they write.');
    this.#longRunning = metrics.gauge('apiserver_longrunning_requests', 'Watches and streams under way.');
    this.#watchEvents = metrics.counter('apiserver_watch_events_total', 'Events sent to watchers.');
    this.#cpu = metrics.counter('process_cpu_seconds_total', 'Processor time of this process.');
    this.#memory = metrics.gauge('process_resident_memory_bytes', 'Resident memory of this process.');
  }

  begin(exchange: Exchange, path: ApiPath): Observed {
    const { labels, isLong } = this.#describe(exchange, path);
    const kind = { request_kind: exchange.method === 'GET' ? 'readOnly' : 'mutating' };
    const begun = this.#clock.monotonicMs();
    const [gauge, gaugeLabels] = isLong ? [this.#longRunning, labels] : [this.#inFlight, kind];
    gauge.add(1, gaugeLabels);
    return {
      end: () => {
        gauge.add(-1, gaugeLabels);
        this.#total.add(1, { ...labels, code: String(exchange.response.statusCode) });
        if (!isLong) this.#durations.observe((this.#clock.monotonicMs() - begun) / 1_000, labels);
      },
    };
  }

  /** Only what is served is named, so that nobody fills the metrics by asking for nonsense. */
  #describe(exchange: Exchange, path: ApiPath): { labels: Labels; isLong: boolean } {
    const served = path.type === 'resource' ? this.#registry.find(path.group, path.version, path.plural) : undefined;
    if (path.type !== 'resource' || !served) {
      const labels = { ...NOTHING_SERVED, verb: METHODS.has(exchange.method) ? exchange.method : 'OTHER' };
      return { labels, isLong: false };
    }
    const { group, version, plural, namespace, name } = path;
    const subresource = subresourceOf(served, path.subresource ?? '');
    const verb = subresource?.isProxied ? 'connect' : verbFor(exchange, path);
    const scope = name === '' ? (namespace === undefined ? 'cluster' : 'namespace') : 'resource';
    const about = { group, version, resource: plural, subresource: subresource?.name ?? '', scope };
    return {
      labels: { component: 'apiserver', verb: verb.toUpperCase(), ...about },
      isLong: verb === 'watch' || verb === 'connect',
    };
  }

  countEvent(group: string, version: string, resource: string): void {
    this.#watchEvents.add(1, { group, version, resource });
  }

  measureProcess(): void {
    const { user, system } = process.cpuUsage();
    this.#cpu.set((user + system) / 1e6);
    this.#memory.set(process.memoryUsage.rss());
  }
}
