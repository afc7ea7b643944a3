import { type Setting, setting } from '#knative/config/examples/setting.ts';
import { DEFAULT_REQUEST_LOG_TEMPLATE } from '#knative/config/observability.ts';

export const observabilitySettings: readonly Setting[] = [
  setting(
    'logging.enable-var-log-collection',
    'false',
    'Whether /var/log of a container is a volume that a log collector on the machine can read.',
  ),
  setting(
    'logging.revision-url-template',
    '',
    'Where the logs of a revision are shown: a URL in which ${REVISION_UID} stands for its UID. It becomes ' +
      'status.logUrl; empty for none.',
  ),
  setting('logging.enable-request-log', 'false', 'Whether each request is logged.'),
  setting(
    'logging.request-log-template',
    DEFAULT_REQUEST_LOG_TEMPLATE,
    'What is logged: a Go template over Request, Response, Revision and TraceID.',
  ),
  setting('logging.enable-probe-request-log', 'false', 'Whether probes are logged too.'),
  setting(
    'metrics-protocol',
    'none',
    'How metrics of the system leave it: prometheus (they are fetched), http/protobuf or grpc (they are sent), none.',
  ),
  setting('metrics-endpoint', '', 'Where they are sent to.'),
  setting('metrics-export-interval', '0s', 'How often they are sent; 0s for the usual.'),
  setting('request-metrics-protocol', 'none', 'The same for metrics of requests to revisions.'),
  setting('request-metrics-endpoint', '', 'Where those are sent to.'),
  setting('request-metrics-export-interval', '0s', 'How often those are sent.'),
  setting('tracing-protocol', 'none', 'How spans leave the system: http/protobuf, grpc, stdout, none.'),
  setting('tracing-endpoint', '', 'Where they are sent to.'),
  setting('tracing-sampling-rate', '0', 'Share of requests that are traced: 0 to 1.'),
  setting('runtime-profiling', 'disabled', 'Whether the parts of the system can be profiled.'),
  setting('runtime-export-interval', '15s', 'How often figures of the language runtime are taken.'),
];

export const tracingSettings: readonly Setting[] = [
  setting('backend', 'none', 'Where spans go: zipkin or none. Newer settings are in config-observability.'),
  setting('zipkin-endpoint', '', 'Where Zipkin takes spans, such as http://zipkin:9411/api/v2/spans.'),
  setting('debug', 'false', 'Whether every request is traced.'),
  setting('sample-rate', '0.1', 'Share of requests that are traced: 0 to 1.'),
];

export const loggingSettings: readonly Setting[] = [
  setting(
    'zap-logger-config',
    '',
    "Settings of Knative's own logger in JSON. Accepted, without effect on this platform's components.",
  ),
  setting(
    'loglevel.controller',
    'info',
    'Level of one component: debug, info, warn, error, dpanic, panic or fatal. Likewise for autoscaler, activator, ' +
      'queueproxy, webhook and others. An example: without a key a component logs at info.',
  ),
];

export const leaderElectionSettings: readonly Setting[] = [
  setting('lease-duration', '60s', 'How long others wait before they take over from a leader that says nothing.'),
  setting('renew-deadline', '40s', 'How long a leader tries to renew its lease before it gives up.'),
  setting('retry-period', '10s', 'How long to wait between attempts.'),
  setting('buckets', '1', 'Into how many parts the work is divided, each with its leader: 1 to 10.'),
];
