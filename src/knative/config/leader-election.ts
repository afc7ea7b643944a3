/** config-leader-election: how replicas of a controller choose their leader; of use on a cluster only. */
import { type ConfigData, ConfigError, ConfigReader } from '#knative/config/read.ts';

export interface LeaderElectionConfig {
  readonly buckets: number;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  /** Prefix of a lease's name → the name to use instead. */
  readonly leaseNamesPrefixMapping: Readonly<Record<string, string>>;
}

const MAX_BUCKETS = 10;
const MAPPING_PREFIX = 'map-lease-prefix.';

export function parseLeaderElectionConfig(data: ConfigData): LeaderElectionConfig {
  const reader = new ConfigReader(data);
  const mapping = Object.entries(data).filter(([key]) => key.startsWith(MAPPING_PREFIX) && key !== MAPPING_PREFIX);
  const config = {
    leaseDurationMs: reader.durationMs(['leaseDuration', 'lease-duration'], 60_000),
    renewDeadlineMs: reader.durationMs(['renewDeadline', 'renew-deadline'], 40_000),
    retryPeriodMs: reader.durationMs(['retryPeriod', 'retry-period'], 10_000),
    buckets: reader.integer('buckets', { by: 'ParseUint', bits: 32 }, 1),
    leaseNamesPrefixMapping: Object.fromEntries(mapping.map(([key, to]) => [key.slice(MAPPING_PREFIX.length), to])),
  };
  if (config.buckets < 1 || config.buckets > MAX_BUCKETS) {
    throw new ConfigError(`buckets: value must be between 1 <= ${config.buckets} <= ${MAX_BUCKETS}`);
  }
  return config;
}
