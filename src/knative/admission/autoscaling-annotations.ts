/** The annotations by which a revision is scaled, on a template, a Revision, a PodAutoscaler or a Metric. */
import { formatDurationMs, parseDurationMs } from '#kube/duration.ts';
import type { AutoscalerConfig } from '#knative/config/autoscaler.ts';
import {
  PANIC_THRESHOLD_PERCENTAGE_RANGE,
  PANIC_WINDOW_PERCENTAGE_RANGE,
  TARGET_MIN,
  WINDOW_MAX_MS,
  WINDOW_MIN_MS,
} from '#knative/config/autoscaler.ts';
import { type FieldErrors, fieldError, invalidValue, noErrors, outOfBounds } from '#knative/field-error.ts';
import { isWholeSeconds } from '#knative/go/duration.ts';
import { MAX_INT32, parseFloat64, parseInteger } from '#knative/go/numbers.ts';
import { autoscalingKeys, findByKeys, HPA_CLASS, type Keys, KPA_CLASS } from '#knative/labels.ts';

type Annotations = Readonly<Record<string, string>>;

export function validateAutoscalingAnnotations(annotations: Annotations, config: AutoscalerConfig): FieldErrors {
  return [
    ...validateClass(annotations),
    ...validateScales(annotations, config),
    ...validateNumbers(annotations),
    ...validateDurations(annotations),
    ...validateMetric(annotations, config),
    ...validateAlgorithm(annotations),
    ...validateInitialScale(annotations, config),
  ];
}

type Check = (value: string, key: string) => FieldErrors;

/** Runs `check` on the annotation if it is there. */
function check(annotations: Annotations, keys: Keys, test: Check): FieldErrors {
  const found = findByKeys(annotations, keys);
  return found ? test(found.value, found.key) : noErrors;
}

function validateClass(annotations: Annotations): FieldErrors {
  return check(annotations, autoscalingKeys.class, (value, key) => {
    const isOurs = value.endsWith('.knative.dev');
    return isOurs && value !== KPA_CLASS && value !== HPA_CLASS ? invalidValue(value, key) : noErrors;
  });
}

const ALGORITHMS = ['', 'linear', 'weighted-exponential', 'weightedExponential'];

function validateAlgorithm(annotations: Annotations): FieldErrors {
  if (findByKeys(annotations, autoscalingKeys.class)?.value !== KPA_CLASS) return noErrors;
  return check(annotations, autoscalingKeys.metricAggregationAlgorithm, (value, key) => {
    return ALGORITHMS.includes(value) ? noErrors : invalidValue(value, key);
  });
}

function validateMetric(annotations: Annotations, config: AutoscalerConfig): FieldErrors {
  const scalerClass = findByKeys(annotations, autoscalingKeys.class)?.value ?? config.podAutoscalerClass;
  return check(annotations, autoscalingKeys.metric, (value, key) => {
    if (scalerClass === KPA_CLASS) return ['concurrency', 'rps'].includes(value) ? noErrors : invalidValue(value, key);
    return scalerClass === HPA_CLASS && value === '' ? invalidValue(value, key) : noErrors;
  });
}

function validateInitialScale(annotations: Annotations, config: AutoscalerConfig): FieldErrors {
  return check(annotations, autoscalingKeys.initialScale, (value, key) => {
    const scale = parseInteger(value, { by: 'Atoi', bits: 64 });
    if (scale instanceof Error) return invalidValue(value, key);
    if (scale < 0) return invalidValue(value, `${key} must be greater than 0`);
    const isRefused = scale === 0 && !config.allowZeroInitialScale;
    return isRefused ? invalidValue(value, `${key}=0 not allowed by cluster`) : noErrors;
  });
}

/** A range check on a number; its error shows the value as it was written. */
function within(keys: Keys, range: readonly [number, number], annotations: Annotations): FieldErrors {
  return check(annotations, keys, (value, key) => {
    const number = parseFloat64(value);
    if (number instanceof Error) return invalidValue(value, key);
    return number < range[0] || number > range[1] ? outOfBounds(value, range, key) : noErrors;
  });
}

function validateNumbers(annotations: Annotations): FieldErrors {
  return [
    ...within(autoscalingKeys.panicWindowPercentage, PANIC_WINDOW_PERCENTAGE_RANGE, annotations),
    ...within(autoscalingKeys.panicThresholdPercentage, PANIC_THRESHOLD_PERCENTAGE_RANGE, annotations),
    ...within(autoscalingKeys.targetUtilizationPercentage, [1, 100], annotations),
    ...check(annotations, autoscalingKeys.target, (value, key) => {
      const target = parseFloat64(value);
      if (target instanceof Error) return invalidValue(value, key);
      return target < TARGET_MIN ? fieldError(`target ${value} should be at least ${TARGET_MIN}`, key) : noErrors;
    }),
    ...check(annotations, autoscalingKeys.targetBurstCapacity, (value, key) => {
      const capacity = parseFloat64(value);
      const isBad = capacity instanceof Error || (capacity < 0 && capacity !== -1);
      return isBad ? invalidValue(value, key) : noErrors;
    }),
  ];
}

interface DurationRule {
  readonly keys: Keys;
  readonly leastMs: number;
  readonly needsWholeSeconds: boolean;
}

const DURATIONS: readonly DurationRule[] = [
  { keys: autoscalingKeys.window, leastMs: WINDOW_MIN_MS, needsWholeSeconds: true },
  { keys: autoscalingKeys.scaleDownDelay, leastMs: 0, needsWholeSeconds: true },
  { keys: autoscalingKeys.scaleToZeroPodRetentionPeriod, leastMs: 0, needsWholeSeconds: false },
];

function validateDurations(annotations: Annotations): FieldErrors {
  return DURATIONS.flatMap(({ keys, leastMs, needsWholeSeconds }) => {
    return check(annotations, keys, (value, key) => {
      const durationMs = parseDurationMs(value);
      if (durationMs instanceof Error) return invalidValue(value, key);
      if (durationMs < leastMs || durationMs > WINDOW_MAX_MS) {
        return outOfBounds(value, [formatDurationMs(leastMs), formatDurationMs(WINDOW_MAX_MS)], key);
      }
      const isTooFine = needsWholeSeconds && !isWholeSeconds(durationMs);
      return isTooFine ? fieldError('must be specified with at most second precision', key) : noErrors;
    });
  });
}

/** A number of pods: its value, 0 where it is absent or bad. */
function readScale(annotations: Annotations, keys: Keys): { scale: number; errors: FieldErrors } {
  const found = findByKeys(annotations, keys);
  if (!found) return { scale: 0, errors: noErrors };
  const { key, value } = found;
  const scale = parseInteger(value, { by: 'ParseInt', bits: 32 });
  const isOutOfRange = scale instanceof Error ? scale.message.endsWith('out of range') : scale < 0;
  if (isOutOfRange) return { scale: 0, errors: outOfBounds(value, [0, MAX_INT32], key) };
  if (scale instanceof Error) return { scale: 0, errors: invalidValue(value, key) };
  return { scale, errors: noErrors };
}

function validateScales(annotations: Annotations, { maxScaleLimit }: AutoscalerConfig): FieldErrors {
  const { scale: min, errors: ofMin } = readScale(annotations, autoscalingKeys.minScale);
  const { scale: max, errors: ofMax } = readScale(annotations, autoscalingKeys.maxScale);
  const paths = [autoscalingKeys.maxScale[0], autoscalingKeys.minScale[0]];
  const ofBoth =
    max !== 0 && max < min ? fieldError(`max-scale=${max} is less than min-scale=${min}`, paths) : noErrors;
  const ofLimit = check(annotations, autoscalingKeys.maxScale, (_, key) => validateLimit(max, maxScaleLimit, key));
  const ofActivation = check(annotations, autoscalingKeys.activationScale, (value, key) => {
    const scale = parseInteger(value, { by: 'ParseInt', bits: 32 });
    if (scale instanceof Error) return invalidValue(value, key);
    if (min > scale) return fieldError(`min-scale=${min} is greater than activation-scale=${scale}`, key);
    if (max < scale && max !== 0) return fieldError(`max-scale=${max} is less than activation-scale=${scale}`, key);
    return scale < 2 ? fieldError(`activation-scale=${scale} must be greater than 1`, key) : noErrors;
  });
  return [...ofMin, ...ofMax, ...ofBoth, ...ofLimit, ...ofActivation];
}

function validateLimit(max: number, limit: number, key: string): FieldErrors {
  if (limit === 0) return noErrors;
  if (max > limit) return outOfBounds(max, [1, limit], key);
  return max === 0 ? fieldError(`max-scale=0 (unlimited), must be less than ${limit}`, key) : noErrors;
}
