/**
 * Reading the texts of a ConfigMap as typed settings, with the errors that Knative gives.
 *
 * A setting may have older spellings: they are read first, so that the newer one, given last, wins. A setting that is
 * absent keeps its default. The first text that cannot be read ends the reading with a `ConfigError`.
 */
import { parseDurationMs } from '#kube/duration.ts';
import { type IntType, parseBool, parseFloat64, parseInteger } from '#knative/go/numbers.ts';
import { parseQuantity } from '#kube/quantity.ts';

/** Holds documentation, no setting. */
export const EXAMPLE_KEY = '_example';

export type ConfigData = Readonly<Record<string, string>>;

/** Why a ConfigMap is refused; the message is what the user sees. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** One spelling, or several with the preferred one last. */
export type ConfigKeys = string | readonly string[];

export class ConfigReader {
  readonly #data: ConfigData;

  constructor(data: ConfigData) {
    this.#data = data;
  }

  text(keys: ConfigKeys, fallback: string): string {
    return this.#last(keys, fallback, (_, raw) => raw);
  }

  truth(keys: ConfigKeys, fallback: boolean): boolean {
    return this.#last(keys, fallback, (_, raw) => orThrow(parseBool(raw)));
  }

  integer(keys: ConfigKeys, type: IntType, fallback: number): number {
    return this.#last(keys, fallback, (key, raw) => orThrow(parseInteger(raw, type), key));
  }

  float(keys: ConfigKeys, fallback: number): number {
    return this.#last(keys, fallback, (key, raw) => orThrow(parseFloat64(raw), key));
  }

  durationMs(keys: ConfigKeys, fallback: number): number {
    return this.#last(keys, fallback, (key, raw) => orThrow(parseDurationMs(raw), key));
  }

  /** A resource quantity as it was written. */
  quantity(keys: ConfigKeys, fallback?: string): string | undefined {
    return this.#last(keys, fallback, (key, raw) => {
      orThrow(parseQuantity(raw), key);
      return raw;
    });
  }

  /** Texts between commas, without the spaces around them. */
  set(keys: ConfigKeys, fallback: readonly string[]): ReadonlySet<string> {
    return new Set(this.#last(keys, fallback, (_, raw) => raw.split(',').map((one) => one.trim())));
  }

  /** One of `values` whatever its case; any other text keeps the default. */
  choice<T extends string>(keys: ConfigKeys, values: readonly T[], fallback: T): T {
    return this.#last(keys, fallback, (_, raw, before) => {
      return values.find((value) => value.toLowerCase() === raw.toLowerCase()) ?? before;
    });
  }

  #last<T>(keys: ConfigKeys, fallback: T, read: (key: string, raw: string, before: T) => T): T {
    let value = fallback;
    for (const key of typeof keys === 'string' ? [keys] : keys) {
      const raw = this.#data[key];
      if (raw !== undefined) value = read(key, raw, value);
    }
    return value;
  }
}

function orThrow<T>(value: T, key?: string): Exclude<T, Error> {
  if (!(value instanceof Error)) return value as Exclude<T, Error>;
  throw new ConfigError(key === undefined ? value.message : `failed to parse ${JSON.stringify(key)}: ${value.message}`);
}

/** Runs `read` and puts `prefix` before what it complains about. */
export function withPrefix<T>(prefix: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${prefix}${error.message}`, { cause: error });
    throw error;
  }
}

export const INT32: IntType = { by: 'ParseInt', bits: 32 };
export const INT64: IntType = { by: 'ParseInt', bits: 64 };
