/**
 * config-observability: logs of requests, metrics, traces, profiling.
 *
 * Both the keys of Knative up to 1.18 and those of later releases are read; each keeps its own errors. A backend
 * that this platform lacks is accepted and has no effect.
 */
import { formatDurationMs, parseDurationMs } from '#kube/duration.ts';
import { parseFloat64, parseInteger } from '#knative/go/numbers.ts';
import { parseTemplate, type Template } from '#knative/go/template.ts';
import { type ConfigData, ConfigError, ConfigReader } from '#knative/config/read.ts';

export interface MetricsSettings {
  /** none, prometheus, http/protobuf or grpc. */
  readonly protocol: string;
  readonly endpoint: string;
  /** 0 for the default of the exporter. */
  readonly exportIntervalMs: number;
}

export interface TracingSettings {
  /** none, stdout, http/protobuf or grpc. */
  readonly protocol: string;
  readonly endpoint: string;
  /** In [0, 1]. */
  readonly samplingRate: number;
}

export interface ObservabilityConfig {
  readonly enableVarLogCollection: boolean;
  /** `${REVISION_UID}` stands for the Revision's UID; empty for no logUrl. */
  readonly loggingUrlTemplate: string;
  readonly requestLogTemplate: Template | undefined;
  readonly enableRequestLog: boolean;
  readonly enableProbeRequestLog: boolean;
  readonly metrics: MetricsSettings;
  readonly requestMetrics: MetricsSettings;
  readonly tracing: TracingSettings;
  readonly isProfilingEnabled: boolean;
  readonly runtimeExportIntervalMs: number;
  /** Old names: where request metrics go, and how often. */
  readonly requestMetricsBackend: string;
  readonly requestMetricsReportingPeriodSeconds: number;
  readonly metricsCollectorAddress: string;
}

/** One JSON object per request, in the members that log collectors know. */
export const DEFAULT_REQUEST_LOG_TEMPLATE =
  '{"httpRequest": {"requestMethod": "{{.Request.Method}}", "requestUrl": "{{js .Request.RequestURI}}", ' +
  '"requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}}, ' +
  '"responseSize": "{{.Response.Size}}", "userAgent": "{{js .Request.UserAgent}}", ' +
  '"remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}", ' +
  '"referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s", ' +
  '"protocol": "{{.Request.Proto}}"}, "traceId": "{{.TraceID}}"}';

const PROMETHEUS_PERIOD_SECONDS = 5;
const OPENCENSUS_PERIOD_SECONDS = 60;

export function parseObservabilityConfig(data: ConfigData): ObservabilityConfig {
  const tracing = readTracing(data);
  const metrics = readMetrics(data, '');
  const { isProfilingEnabled: isRuntimeProfiled, exportIntervalMs } = readRuntime(data);
  const requestMetrics = readMetrics(data, 'request-');
  const period = defaultPeriodSeconds(data);
  const reader = new ConfigReader(data);
  const template = reader.text('logging.request-log-template', DEFAULT_REQUEST_LOG_TEMPLATE);
  const config = {
    enableVarLogCollection: reader.truth('logging.enable-var-log-collection', false),
    loggingUrlTemplate: reader.text('logging.revision-url-template', ''),
    enableRequestLog: reader.truth('logging.enable-request-log', false),
    enableProbeRequestLog: reader.truth('logging.enable-probe-request-log', false),
    requestMetricsBackend: reader.text('metrics.request-metrics-backend-destination', 'prometheus'),
    requestMetricsReportingPeriodSeconds: reader.integer(
      'metrics.request-metrics-reporting-period-seconds',
      { by: 'Atoi', bits: 64 },
      period,
    ),
    isProfilingEnabled: reader.truth('profiling.enable', false) || isRuntimeProfiled,
    metricsCollectorAddress: reader.text('metrics.opencensus-address', ''),
  };
  if (template === '' && config.enableRequestLog) {
    const keys = ['"logging.enable-request-log"', '"logging.request-log-template"'];
    throw new ConfigError(`${keys[0]} was set to true, but no ${keys[1]} was specified`);
  }
  const requestLogTemplate = template === '' ? undefined : readTemplate(template);
  return { ...config, requestLogTemplate, tracing, metrics, requestMetrics, runtimeExportIntervalMs: exportIntervalMs };
}

function readTemplate(text: string): Template {
  const template = parseTemplate('requestLog', text);
  if (template instanceof Error) throw new ConfigError(template.message);
  return template;
}

/** The period of the old metrics.reporting-period-seconds, or one that suits the backend. */
function defaultPeriodSeconds(data: ConfigData): number {
  const key = 'metrics.reporting-period-seconds';
  const text = data[key] ?? '';
  if (text === '') {
    const isOpenCensus = data['metrics.request-metrics-backend-destination'] === 'opencensus';
    return isOpenCensus ? OPENCENSUS_PERIOD_SECONDS : PROMETHEUS_PERIOD_SECONDS;
  }
  const period = parseInteger(text, { by: 'Atoi', bits: 64 });
  if (period instanceof Error) throw new ConfigError(`invalid ${key} value ${JSON.stringify(text)}`);
  return period;
}

/** Settings of the newer form are read without the spaces around them. */
function trimmed(data: ConfigData, key: string, fallback: string): string {
  return (data[key] ?? fallback).trim();
}

function durationMs(data: ConfigData, key: string, fallback: number): number {
  const value = data[key] === undefined ? fallback : parseDurationMs(data[key]);
  if (value instanceof Error) throw new ConfigError(`failed to parse ${JSON.stringify(key)}: ${value.message}`);
  if (value < 0) throw new ConfigError(`export interval "${formatDurationMs(value)}" should be greater than zero`);
  return value;
}

function readMetrics(data: ConfigData, prefix: '' | 'request-'): MetricsSettings {
  const protocol = trimmed(data, `${prefix}metrics-protocol`, 'none');
  const endpoint = trimmed(data, `${prefix}metrics-endpoint`, '');
  if (!['none', 'prometheus', 'http/protobuf', 'grpc'].includes(protocol)) {
    throw new ConfigError(`unsupported protocol ${JSON.stringify(protocol)}`);
  }
  const needsEndpoint = protocol === 'grpc' || protocol === 'http/protobuf';
  if (needsEndpoint && endpoint === '') throw new ConfigError(`endpoint should be set when protocol is "${protocol}"`);
  if (protocol === 'none' && endpoint !== '') {
    throw new ConfigError(`endpoint should not be set when protocol is "${protocol}"`);
  }
  return { protocol, endpoint, exportIntervalMs: durationMs(data, `${prefix}metrics-export-interval`, 0) };
}

function readTracing(data: ConfigData): TracingSettings {
  const protocol = trimmed(data, 'tracing-protocol', 'none');
  const endpoint = trimmed(data, 'tracing-endpoint', '');
  const samplingRate = readRate(data);
  if (!['none', 'stdout', 'http/protobuf', 'grpc'].includes(protocol)) {
    throw new ConfigError(`unsupported protocol ${JSON.stringify(protocol)}`);
  }
  const needsEndpoint = protocol === 'grpc' || protocol === 'http/protobuf';
  if (needsEndpoint && endpoint === '') throw new ConfigError(`endpoint should be set for protocol "${protocol}"`);
  if (!needsEndpoint && endpoint !== '') throw new ConfigError("endpoint should not be set when protocol is 'none'");
  return { protocol, endpoint, samplingRate };
}

function readRate(data: ConfigData): number {
  const rate = parseFloat64(data['tracing-sampling-rate'] ?? '0');
  if (rate instanceof Error) throw new ConfigError(`failed to parse "tracing-sampling-rate": ${rate.message}`);
  if (rate < 0) throw new ConfigError(`sampling rate ${rate.toFixed(6)} should be greater or equal to zero`);
  if (rate > 1) throw new ConfigError(`sampling rate ${rate.toFixed(6)} should be less than or equal to one`);
  return rate;
}

function readRuntime(data: ConfigData): { isProfilingEnabled: boolean; exportIntervalMs: number } {
  const profiling = trimmed(data, 'runtime-profiling', 'disabled');
  if (profiling !== 'enabled' && profiling !== 'disabled') {
    throw new ConfigError(`unsupported profile setting ${JSON.stringify(profiling)}`);
  }
  return {
    isProfilingEnabled: profiling === 'enabled',
    exportIntervalMs: durationMs(data, 'runtime-export-interval', 15_000),
  };
}
