/**
 * Counters, gauges and histograms with labels, written in Prometheus' text format (version 0.0.4).
 *
 * A registry is an object that is passed around; nothing is global. The number of label sets per metric is
 * bounded: beyond `MAX_SERIES` a new label set is counted under the label values `"other"`.
 */
export type Labels = Readonly<Record<string, string>>;

/** Most label sets that one metric keeps. */
const MAX_SERIES = 10_000;

interface Series {
  readonly labels: Labels;
  value: number;
  sum: number;
  buckets: number[];
}

/** A histogram's content, counted elsewhere. */
export interface Counted {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly number[];
}

export type MetricType = 'counter' | 'gauge' | 'histogram';

export class Metric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor(definition: { name: string; help: string; type: MetricType; bounds?: readonly number[] }) {
    this.name = definition.name;
    this.help = definition.help;
    this.type = definition.type;
    this.bounds = definition.bounds ?? [];
  }

  /** Adds to a counter or gauge. */
  add(amount: number, labels: Labels = {}): void {
    this.#of(labels).value += amount;
  }

  /** Sets a gauge. */
  set(value: number, labels: Labels = {}): void {
    this.#of(labels).value = value;
  }

  /** Records one value in a histogram. */
  observe(value: number, labels: Labels = {}): void {
    const series = this.#of(labels);
    series.value += 1;
    series.sum += value;
    const index = this.bounds.findIndex((bound) => value <= bound);
    if (index >= 0) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
  }

  /** Adds what was counted elsewhere to a histogram: one number for each bound, and one for what is above all. */
  merge(counted: Counted, labels: Labels = {}): void {
    const series = this.#of(labels);
    series.value += counted.count;
    series.sum += counted.sum;
    this.bounds.forEach((_, index) => {
      series.buckets[index] = (series.buckets[index] ?? 0) + (counted.buckets[index] ?? 0);
    });
  }

  remove(labels: Labels): void {
    this.#series.delete(keyOf(labels));
  }

  /** The value of a counter or gauge, the count of a histogram; 0 when nothing was recorded. */
  value(labels: Labels = {}): number {
    return this.#series.get(keyOf(labels))?.value ?? 0;
  }

  render(): string {
    const lines = [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.type}`];
    for (const series of this.#series.values()) lines.push(...this.#lines(series));
    return `${lines.join('\n')}\n`;
  }

  #lines(series: Series): string[] {
    if (this.type !== 'histogram') return [`${this.name}${renderLabels(series.labels)} ${series.value}`];
    let cumulative = 0;
    const lines = this.bounds.map((bound, index) => {
      cumulative += series.buckets[index] ?? 0;
      return `${this.name}_bucket${renderLabels({ ...series.labels, le: `${bound}` })} ${cumulative}`;
    });
    lines.push(`${this.name}_bucket${renderLabels({ ...series.labels, le: '+Inf' })} ${series.value}`);
    lines.push(`${this.name}_sum${renderLabels(series.labels)} ${series.sum}`);
    lines.push(`${this.name}_count${renderLabels(series.labels)} ${series.value}`);
    return lines;
  }

  #of(labels: Labels): Series {
    const known = this.#series.get(keyOf(labels));
    if (known) return known;
    const kept = this.#series.size < MAX_SERIES ? labels : overflow(labels);
    const key = keyOf(kept);
    const series = this.#series.get(key) ?? { labels: kept, value: 0, sum: 0, buckets: this.bounds.map(() => 0) };
    this.#series.set(key, series);
    return series;
  }
}

export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, help: string): Metric {
    return this.#register({ name, help, type: 'counter' });
  }

  gauge(name: string, help: string): Metric {
    return this.#register({ name, help, type: 'gauge' });
  }

  histogram(name: string, help: string, bounds: readonly number[]): Metric {
    return this.#register({ name, help, type: 'histogram', bounds });
  }

  render(): string {
    return [...this.#metrics.values()].map((metric) => metric.render()).join('');
  }

  #register(definition: { name: string; help: string; type: MetricType; bounds?: readonly number[] }): Metric {
    const known = this.#metrics.get(definition.name);
    if (known) return known;
    const metric = new Metric(definition);
    this.#metrics.set(definition.name, metric);
    return metric;
  }
}

function keyOf(labels: Labels): string {
  let key = '';
  for (const name in labels) key += `${name}\u0000${labels[name]}\u0000`;
  return key;
}

function overflow(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
