/** config-autoscaler: how revisions are scaled unless their annotations say otherwise. */
import { formatDurationMs } from '#kube/duration.ts';
import { isWholeSeconds } from '#knative/go/duration.ts';
import { formatFloat } from '#knative/go/numbers.ts';
import { KPA_CLASS } from '#knative/labels.ts';
import { type ConfigData, ConfigError, ConfigReader, INT32, withPrefix } from '#knative/config/read.ts';

export interface AutoscalerConfig {
  readonly podAutoscalerClass: string;
  readonly enableScaleToZero: boolean;
  readonly allowZeroInitialScale: boolean;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  /** In (0, 1]: the share of the target at which a pod counts as full. */
  readonly containerConcurrencyTargetFraction: number;
  readonly containerConcurrencyTargetDefault: number;
  readonly requestsPerSecondTargetDefault: number;
  /** -1 for unlimited. */
  readonly targetBurstCapacity: number;
  readonly activatorCapacity: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly initialScale: number;
  readonly minScale: number;
  /** 0 for no limit, and so for `maxScaleLimit`. */
  readonly maxScale: number;
  readonly maxScaleLimit: number;
  readonly stableWindowMs: number;
  readonly scaleDownDelayMs: number;
  readonly scaleToZeroGracePeriodMs: number;
  readonly scaleToZeroPodRetentionPeriodMs: number;
}

/** Least target of concurrency or requests per second. */
export const TARGET_MIN = 0.01;
export const WINDOW_MIN_MS = 6000;
export const WINDOW_MAX_MS = 3_600_000;
export const PANIC_WINDOW_PERCENTAGE_RANGE = [1, 100] as const;
export const PANIC_THRESHOLD_PERCENTAGE_RANGE = [110, 1000] as const;

export function parseAutoscalerConfig(data: ConfigData): AutoscalerConfig {
  const config = withPrefix('failed to parse data: ', () => read(new ConfigReader(data)));
  checkPeriods(config);
  checkTargets(config);
  checkWindows(config);
  checkScales(config);
  return config;
}

function read(reader: ConfigReader): AutoscalerConfig {
  const config = {
    podAutoscalerClass: reader.text('pod-autoscaler-class', KPA_CLASS),
    enableScaleToZero: reader.truth('enable-scale-to-zero', true),
    allowZeroInitialScale: reader.truth('allow-zero-initial-scale', false),
    maxScaleUpRate: reader.float('max-scale-up-rate', 1000),
    maxScaleDownRate: reader.float('max-scale-down-rate', 2),
    containerConcurrencyTargetFraction: reader.float('container-concurrency-target-percentage', 0.7),
    containerConcurrencyTargetDefault: reader.float('container-concurrency-target-default', 100),
    requestsPerSecondTargetDefault: reader.float('requests-per-second-target-default', 200),
    targetBurstCapacity: reader.float('target-burst-capacity', 211),
    panicWindowPercentage: reader.float('panic-window-percentage', 10),
    activatorCapacity: reader.float('activator-capacity', 100),
    panicThresholdPercentage: reader.float('panic-threshold-percentage', 200),
    initialScale: reader.integer('initial-scale', INT32, 1),
    minScale: reader.integer('min-scale', INT32, 0),
    maxScale: reader.integer('max-scale', INT32, 0),
    maxScaleLimit: reader.integer('max-scale-limit', INT32, 0),
    stableWindowMs: reader.durationMs('stable-window', 60_000),
    scaleDownDelayMs: reader.durationMs('scale-down-delay', 0),
    scaleToZeroGracePeriodMs: reader.durationMs('scale-to-zero-grace-period', 30_000),
    scaleToZeroPodRetentionPeriodMs: reader.durationMs('scale-to-zero-pod-retention-period', 0),
  };
  // 70 and 0.7 both mean 70 %.
  if (config.containerConcurrencyTargetFraction > 1) config.containerConcurrencyTargetFraction /= 100;
  return config;
}

function refuse(message: string): never {
  throw new ConfigError(message);
}

function checkPeriods(config: AutoscalerConfig): void {
  const {
    scaleToZeroGracePeriodMs: grace,
    scaleDownDelayMs: delay,
    scaleToZeroPodRetentionPeriodMs: retention,
  } = config;
  if (grace <= 0) refuse(`scale-to-zero-grace-period must be positive, was: ${formatDurationMs(grace)}`);
  if (delay < 0) refuse(`scale-down-delay cannot be negative, was: ${formatDurationMs(delay)}`);
  if (!isWholeSeconds(delay)) {
    refuse(`scale-down-delay = ${formatDurationMs(delay)}, must be specified with at most second precision`);
  }
  if (retention < 0) {
    refuse(`scale-to-zero-pod-retention-period cannot be negative, was: ${formatDurationMs(retention)}`);
  }
}

function checkTargets(config: AutoscalerConfig): void {
  const { targetBurstCapacity: burst, containerConcurrencyTargetFraction: fraction } = config;
  if (burst < 0 && burst !== -1) {
    refuse(`target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${burst.toFixed(6)}`);
  }
  if (fraction <= 0 || fraction > 1) {
    refuse(`container-concurrency-target-percentage = ${fraction.toFixed(6)} is outside of valid range of (0, 100]`);
  }
  const target = fraction * config.containerConcurrencyTargetDefault;
  if (target < TARGET_MIN) {
    const names = 'container-concurrency-target-percentage and container-concurrency-target-default';
    refuse(`${names} yield target concurrency of ${formatFloat(target)}, can't be less than ${TARGET_MIN}`);
  }
  const rps = config.requestsPerSecondTargetDefault;
  if (rps < TARGET_MIN) {
    refuse(`requests-per-second-target-default must be at least ${TARGET_MIN}, was: ${formatFloat(rps)}`);
  }
  const capacity = config.activatorCapacity;
  if (capacity < 1) refuse(`activator-capacity = ${formatFloat(capacity)}, must be at least 1`);
}

function checkWindows(config: AutoscalerConfig): void {
  const { maxScaleUpRate: up, maxScaleDownRate: down, stableWindowMs: window, panicWindowPercentage: panic } = config;
  if (up <= 1) refuse(`max-scale-up-rate = ${formatFloat(up)}, must be greater than 1.0`);
  if (down <= 1) refuse(`max-scale-down-rate = ${formatFloat(down)}, must be greater than 1.0`);
  if (window < WINDOW_MIN_MS || window > WINDOW_MAX_MS) {
    const range = `[${formatDurationMs(WINDOW_MIN_MS)}; ${formatDurationMs(WINDOW_MAX_MS)}]`;
    refuse(`stable-window = ${formatDurationMs(window)}, must be in ${range} range`);
  }
  if (!isWholeSeconds(window)) {
    refuse(`stable-window = ${formatDurationMs(window)}, must be specified with at most second precision`);
  }
  const [low, high] = PANIC_WINDOW_PERCENTAGE_RANGE;
  if (panic < low || panic > high) {
    refuse(`panic-window-percentage = ${formatFloat(panic)}, must be in [${low}, ${high}] interval`);
  }
}

function checkScales(config: AutoscalerConfig): void {
  const { initialScale: initial, minScale: min, maxScale: max, maxScaleLimit: limit } = config;
  if (initial < 0 || (initial === 0 && !config.allowZeroInitialScale)) {
    const rule = 'must be at least 0 (or at least 1 when allow-zero-initial-scale is false)';
    refuse(`initial-scale = ${initial}, ${rule}`);
  }
  if (min < 0) refuse(`min-scale = ${min}, must be at least 0`);
  const leastMax = limit > 0 ? 1 : 0;
  if (max < leastMax || (limit > 0 && max > limit)) {
    refuse(`max-scale = ${max}, must be in [${leastMax}, max-scale-limit(${limit})] range`);
  }
  if (limit < 0) refuse(`max-scale-limit = ${limit}, must be at least 0`);
  if (min > max && max > 0) refuse(`min-scale (${min}) must be less than max-scale (${max})`);
}
