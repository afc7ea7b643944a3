/**
 * The Metric: has the collector keep windows of the asked lengths for its revision. Nothing can fail in that at home,
 * where the gateway reports of every revision unasked, so a Metric is Ready as soon as it is followed.
 */
import type { Collector } from '#autoscaler/collector.ts';
import { aggregationOf } from '#autoscaler/settings.ts';
import { keyOf } from '#kube/object.ts';
import type { Metric } from '#knative/kinds/metric.ts';

const NS_PER_MS = 1_000_000;

/** True when requests wait already. */
export function followMetric(collector: Collector, metric: Metric): boolean {
  const { stableWindow, panicWindow, scrapeTarget } = metric.spec;
  return collector.follow(keyOf(metric), {
    stableMs: stableWindow / NS_PER_MS,
    panicMs: panicWindow / NS_PER_MS,
    aggregation: aggregationOf(metric),
    isScraped: scrapeTarget !== '',
  });
}
