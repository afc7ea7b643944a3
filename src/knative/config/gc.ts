/** config-gc: which old Revisions are deleted. */
import { type ConfigData, ConfigError, ConfigReader, INT64, withPrefix } from '#knative/config/read.ts';
import { parseDurationMs } from '#kube/duration.ts';
import { parseInteger } from '#knative/go/numbers.ts';

/** Undefined stands for `disabled`. */
export interface GcConfig {
  readonly retainSinceCreateTimeMs: number | undefined;
  readonly retainSinceLastActiveTimeMs: number | undefined;
  readonly minNonActiveRevisions: number;
  readonly maxNonActiveRevisions: number | undefined;
}

const HOUR_MS = 3_600_000;

export function parseGcConfig(data: ConfigData): GcConfig {
  const reader = new ConfigReader(data);
  const min = withPrefix('failed to parse data: ', () => reader.integer('min-non-active-revisions', INT64, 20));
  const config: GcConfig = {
    retainSinceCreateTimeMs: readRetention(reader, 'retain-since-create-time', 48 * HOUR_MS),
    retainSinceLastActiveTimeMs: readRetention(reader, 'retain-since-last-active-time', 15 * HOUR_MS),
    minNonActiveRevisions: min,
    maxNonActiveRevisions: readMax(reader),
  };
  const max = config.maxNonActiveRevisions;
  if (min < 0) throw new ConfigError(`min-non-active-revisions must be non-negative, was: ${min}`);
  if (max !== undefined && min > max) {
    throw new ConfigError(`min-non-active-revisions(${min}) must be <= max-non-active-revisions(${max})`);
  }
  return config;
}

function readRetention(reader: ConfigReader, key: string, fallback: number): number | undefined {
  return readOrDisabled(reader, key, fallback, (text) => {
    const duration = parseDurationMs(text);
    return typeof duration === 'number' && duration < 0 ? new Error('must be non-negative') : duration;
  });
}

function readMax(reader: ConfigReader): number | undefined {
  const read = (text: string) => parseInteger(text, { by: 'ParseUint', bits: 64 });
  return readOrDisabled(reader, 'max-non-active-revisions', 1000, read);
}

type Parse = (text: string) => number | Error;

function readOrDisabled(reader: ConfigReader, key: string, fallback: number, parse: Parse): number | undefined {
  const text = reader.text(key, '');
  if (text === '') return fallback;
  if (text.toLowerCase() === 'disabled') return undefined;
  const value = parse(text);
  if (value instanceof Error) throw new ConfigError(`failed to parse ${key}: ${value.message}`);
  return value;
}
