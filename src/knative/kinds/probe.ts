/** Probes as a Revision may declare them: no terminationGracePeriodSeconds, ports may be left out. */
import { int32, intOrString, list, object, refine, required, string } from '#kube/schema.ts';
import { supplied, textOf } from '#knative/kinds/fields.ts';

const header = object({
  name: required(string('Name of the header.')),
  value: required(string('Its value.')),
});

const execAction = object(
  { command: list(string(), 'Program and arguments; no shell is involved.') },
  { doc: 'A command in the container, healthy when it ends with 0.' },
);

const httpGetAction = object(
  {
    path: string('Path to get.'),
    port: supplied(intOrString("Number or name of the port; 0 means the container's own.")),
    host: string('Host to connect to, the pod itself when absent.'),
    scheme: textOf<'HTTP' | 'HTTPS'>('HTTP or HTTPS.'),
    httpHeaders: list(header, 'Headers to send.'),
  },
  { doc: 'An HTTP request, healthy when it is answered 200 to 399.' },
);

const tcpSocketAction = object(
  {
    port: supplied(intOrString("Number or name of the port; 0 means the container's own.")),
    host: string('Host to connect to, the pod itself when absent.'),
  },
  { doc: 'A TCP connection, healthy when it is accepted.' },
);

const grpcAction = object(
  {
    port: supplied(int32('Number of the port.')),
    service: refine(string('Which service to ask about.'), { default: '' }),
  },
  { doc: 'A call of the gRPC health service.' },
);

export const probeSchema = object({
  exec: execAction,
  httpGet: httpGetAction,
  tcpSocket: tcpSocketAction,
  grpc: grpcAction,
  initialDelaySeconds: int32('Seconds after the start before the first attempt.'),
  timeoutSeconds: int32('Seconds after which an attempt counts as failed.'),
  periodSeconds: int32('Seconds between attempts; 0 on a readiness probe means as often as is sensible.'),
  successThreshold: int32('Successes in a row that count as healthy.'),
  failureThreshold: int32('Failures in a row that count as unhealthy.'),
});
