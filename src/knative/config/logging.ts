/** config-logging: how loudly each component logs. */
import { type ConfigData, ConfigError } from '#knative/config/read.ts';

export interface LoggingConfig {
  /** JSON for Knative's logger; kept as it is. */
  readonly zapLoggerConfig: string;
  /** Level by component. */
  readonly levels: Readonly<Record<string, LogLevel>>;
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'] as const;
export type LogLevel = (typeof LEVELS)[number];

const PREFIX = 'loglevel.';

export function parseLoggingConfig(data: ConfigData): LoggingConfig {
  const levels: Record<string, LogLevel> = {};
  for (const [key, text] of Object.entries(data)) {
    const component = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : '';
    if (component === '' || text === '') continue;
    const level = LEVELS.find((one) => one === text || one.toUpperCase() === text);
    if (level === undefined) throw new ConfigError(`invalid logging level: ${text}`);
    levels[component] = level;
  }
  return { zapLoggerConfig: data['zap-logger-config'] ?? '', levels };
}
