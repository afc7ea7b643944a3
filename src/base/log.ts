/**
 * Structured logging: one JSON object per line on standard error.
 *
 * Members: `time` (RFC 3339), `level`, `process`, `component`, `message`, then the fields. An Error under `error`
 * is written with its message, stack and causes. Secrets never belong in a field.
 */
import type { Clock } from '#base/clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same logger with `fields` on every line. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  readonly fields?: LogFields;
  /** Takes one line without its newline. */
  readonly write: (line: string) => void;
}

const SEVERITY: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };

export function createLogger(options: LoggerOptions): Logger {
  const fields = options.fields ?? {};
  const log = (level: LogLevel, message: string, more: LogFields = {}) => {
    if (SEVERITY[level] < SEVERITY[options.level]) return;
    const time = new Date(options.clock.now()).toISOString();
    const line = { time, level, ...fields, message, ...more };
    options.write(JSON.stringify(line, replaceErrors));
  };
  return {
    debug: (message, more) => log('debug', message, more),
    info: (message, more) => log('info', message, more),
    warn: (message, more) => log('warn', message, more),
    error: (message, more) => log('error', message, more),
    with: (more) => createLogger({ ...options, fields: { ...fields, ...more } }),
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

export function isLogLevel(text: string): text is LogLevel {
  return text in SEVERITY;
}

function replaceErrors(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
}
