/** config-tracing: where spans go. Newer releases of Knative have these settings in config-observability. */
import { type ConfigData, ConfigError, ConfigReader } from '#knative/config/read.ts';
import { parseBool, formatFloat } from '#knative/go/numbers.ts';

export interface TracingConfig {
  readonly backend: 'none' | 'zipkin';
  readonly zipkinEndpoint: string;
  /** Sample everything. */
  readonly debug: boolean;
  /** In [0, 1]. */
  readonly sampleRate: number;
}

export function parseTracingConfig(data: ConfigData): TracingConfig {
  const reader = new ConfigReader(data);
  const config: TracingConfig = {
    backend: readBackend(data),
    zipkinEndpoint: reader.text('zipkin-endpoint', ''),
    debug: reader.truth('debug', false),
    sampleRate: reader.float('sample-rate', 0.1),
  };
  if (config.backend === 'zipkin' && config.zipkinEndpoint === '') {
    throw new ConfigError('zipkin tracing enabled without a zipkin endpoint specified');
  }
  if (config.sampleRate < 0 || config.sampleRate > 1) {
    throw new ConfigError(`sample-rate = ${formatFloat(config.sampleRate)} must be in [0, 1] range`);
  }
  return config;
}

/** `enable: "true"` is the old way to say zipkin. */
function readBackend(data: ConfigData): TracingConfig['backend'] {
  const { backend, enable } = data;
  if (backend === 'none' || backend === 'zipkin') return backend;
  if (backend !== undefined) throw new ConfigError(`unsupported tracing backend value ${JSON.stringify(backend)}`);
  if (enable === undefined) return 'none';
  const isEnabled = parseBool(enable);
  if (isEnabled instanceof Error) throw new ConfigError(`failed parsing tracing config "enable": ${isEnabled.message}`);
  return isEnabled ? 'zipkin' : 'none';
}
