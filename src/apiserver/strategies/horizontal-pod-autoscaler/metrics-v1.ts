/**
 * Metrics in the form of autoscaling/v1, as they stand in annotations there, to and from that of v2. Pure.
 *
 * Annotations are the user's to write: what is read is checked against the schema of v2, and passed over when it is
 * not of its form.
 */
import { isObject } from '#base/json.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { decodeError } from '#kube/decode-errors.ts';
import { type Schema } from '#kube/schema.ts';

type Json = Record<string, unknown>;

const SOURCES = ['object', 'pods', 'resource', 'containerResource', 'external'] as const;
type SourceName = (typeof SOURCES)[number];

/** Which members of v2 hold what the target is, or what was seen. */
interface Shape {
  readonly value: 'target' | 'current';
  /** How those of v1 begin. */
  readonly prefix: 'target' | 'current';
}

const SPEC: Shape = { value: 'target', prefix: 'target' };
const STATUS: Shape = { value: 'current', prefix: 'current' };

export function metricsToV1(metrics: readonly object[]): Json[] {
  return metrics.map((metric) => metricToV1(metric as Json, SPEC));
}

export function statusesToV1(metrics: readonly object[]): Json[] {
  return metrics.map((metric) => metricToV1(metric as Json, STATUS));
}

/** Undefined when `text` is not a list of metrics in the form of v1. */
export function metricsFromV1<T>(text: string, schema: Schema<T>): T[] | undefined {
  return listFrom(text, schema, (metric) => metricFromV1(metric, SPEC));
}

export function statusesFromV1<T>(text: string, schema: Schema<T>): T[] | undefined {
  return listFrom(text, schema, (metric) => metricFromV1(metric, STATUS));
}

/** A list in JSON whose elements are of `schema` once they are converted. */
export function listFrom<T>(text: string, schema: Schema<T>, convert: (element: Json) => Json): T[] | undefined {
  const elements = parse(text);
  if (!Array.isArray(elements)) return undefined;
  const converted = elements.map((element: unknown) => (isObject(element) ? without(convert(element)) : element));
  if (converted.some((element) => decodeError(schema, element) !== undefined)) return undefined;
  return converted.map((element) => canonicalValue(schema, element) as T);
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function metricToV1({ type, ...sources }: Json, shape: Shape): Json {
  const converted = SOURCES.filter((name) => isObject(sources[name])).map((name) => [
    name,
    without(sourceToV1(name, sources[name] as Json, shape)),
  ]);
  return { type, ...(Object.fromEntries(converted) as Json) };
}

function sourceToV1(name: SourceName, source: Json, { value, prefix }: Shape): Json {
  const { metric, describedObject, container } = source;
  const { value: whole, averageValue: average, averageUtilization: utilization } = member(source, value);
  const { name: metricName, selector } = isObject(metric) ? metric : {};
  // Members that v1 can't leave out say nothing by a zero.
  const always = (amount: unknown) => amount ?? '0';
  const isSpec = prefix === 'target';
  switch (name) {
    case 'object':
      return {
        target: describedObject,
        metricName,
        [`${prefix}Value`]: always(whole),
        selector,
        averageValue: average,
      };
    case 'pods':
      return { metricName, [`${prefix}AverageValue`]: always(average), selector };
    case 'external':
      return {
        metricName,
        metricSelector: selector,
        [`${prefix}Value`]: isSpec ? whole : always(whole),
        [`${prefix}AverageValue`]: average,
      };
    default:
      return {
        name: source['name'],
        [`${prefix}AverageUtilization`]: utilization,
        [`${prefix}AverageValue`]: isSpec ? average : always(average),
        container,
      };
  }
}

function metricFromV1({ type, ...sources }: Json, shape: Shape): Json {
  const converted = SOURCES.filter((name) => isObject(sources[name])).map((name) => [
    name,
    without(sourceFromV1(name, sources[name] as Json, shape)),
  ]);
  return { type, ...(Object.fromEntries(converted) as Json) };
}

function sourceFromV1(name: SourceName, source: Json, { value, prefix }: Shape): Json {
  const { metricName, selector, metricSelector, container, target } = source;
  const whole = source[`${prefix}Value`];
  const average = source[`${prefix}AverageValue`];
  const typed = (type: string, amounts: Json) => without({ ...(value === 'target' ? { type } : {}), ...amounts });
  switch (name) {
    case 'object': {
      const own = source['averageValue'];
      const amounts = { value: whole, averageValue: own };
      const type = own === undefined ? 'Value' : 'AverageValue';
      return {
        describedObject: target,
        metric: without({ name: metricName, selector }),
        [value]: typed(type, amounts),
      };
    }
    case 'pods':
      return {
        metric: without({ name: metricName, selector }),
        [value]: typed('AverageValue', { averageValue: average }),
      };
    case 'external': {
      const type = whole === undefined ? 'AverageValue' : 'Value';
      const metric = without({ name: metricName, selector: metricSelector });
      return { metric, [value]: typed(type, { value: whole, averageValue: average }) };
    }
    default: {
      const averageUtilization = source[`${prefix}AverageUtilization`];
      const type = averageUtilization === undefined ? 'AverageValue' : 'Utilization';
      return { name: source['name'], container, [value]: typed(type, { averageValue: average, averageUtilization }) };
    }
  }
}

function member(source: Json, name: string): Json {
  const value = source[name];
  return isObject(value) ? value : {};
}

function without(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
