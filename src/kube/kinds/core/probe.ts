/** Probes and life cycle hooks: what the node does to a container to learn its health, and at its start and end. */
import {
  documented,
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  nullPointer,
  object,
  oneOf,
  pointer,
  refine,
  required,
  string,
} from '#kube/schema.ts';

const execActionSchema = object(
  {
    command: list(string(), 'Program and arguments; no shell is involved.'),
  },
  { name: 'io.k8s.api.core.v1.ExecAction', doc: 'A command to run in the container; exit code 0 is success.' },
);

const httpHeaderSchema = object(
  {
    name: required(string('Name of the header, which need not be in canonical case.')),
    value: required(string('Value of the header.')),
  },
  { name: 'io.k8s.api.core.v1.HTTPHeader', doc: 'One header of a request.' },
);

const httpGetActionSchema = object(
  {
    path: string('Path of the request.'),
    port: required(intOrString('Port, by number or by the name of a container port.')),
    host: string("Host to connect to; the pod's address when absent."),
    scheme: oneOf(['HTTP', 'HTTPS'], 'HTTP unless HTTPS is asked for.'),
    httpHeaders: list(httpHeaderSchema, 'Headers to send; a name may occur several times.'),
  },
  { name: 'io.k8s.api.core.v1.HTTPGetAction', doc: 'An HTTP GET; any status from 200 to 399 is success.' },
);
export type HTTPGetAction = Infer<typeof httpGetActionSchema>;

const tcpSocketActionSchema = object(
  {
    port: required(intOrString('Port, by number or by the name of a container port.')),
    host: string("Host to connect to; the pod's address when absent."),
  },
  { name: 'io.k8s.api.core.v1.TCPSocketAction', doc: 'A TCP connection; opening it is success.' },
);

const grpcActionSchema = object(
  {
    port: required(int32('Port number of the gRPC server.')),
    service: refine(nullPointer(string('Service that is asked about.')), { default: '' }),
  },
  { name: 'io.k8s.api.core.v1.GRPCAction', doc: 'A call of the gRPC health service.' },
);

const sleepActionSchema = object(
  {
    seconds: required(int64('How long it lasts, in seconds.')),
  },
  { name: 'io.k8s.api.core.v1.SleepAction', doc: 'A pause.' },
);

export const probeSchema = object(
  {
    exec: documented(execActionSchema, 'Runs a command.'),
    httpGet: documented(httpGetActionSchema, 'Makes an HTTP request.'),
    tcpSocket: documented(tcpSocketActionSchema, 'Opens a TCP connection.'),
    grpc: documented(grpcActionSchema, 'Calls the gRPC health service.'),
    initialDelaySeconds: int32("Seconds from the container's start to the first check."),
    timeoutSeconds: int32('Seconds until a check without an answer has failed; 1 by default.'),
    periodSeconds: int32('Seconds between checks; 10 by default.'),
    successThreshold: int32('Successes in a row that count as recovered; 1 by default.'),
    failureThreshold: int32('Failures in a row that count as failed; 3 by default.'),
    terminationGracePeriodSeconds: pointer(
      int64("Grace period when this probe's failure ends the container, instead of the pod's own."),
    ),
  },
  { name: 'io.k8s.api.core.v1.Probe', doc: 'A check that the node makes again and again.' },
);
export type Probe = Infer<typeof probeSchema>;

const lifecycleHandlerSchema = object(
  {
    exec: documented(execActionSchema, 'Runs a command.'),
    httpGet: documented(httpGetActionSchema, 'Makes an HTTP request.'),
    tcpSocket: documented(tcpSocketActionSchema, 'Accepted for old manifests; does nothing.'),
    sleep: documented(sleepActionSchema, 'Waits.'),
  },
  { name: 'io.k8s.api.core.v1.LifecycleHandler', doc: "What to do at a point of a container's life; one of these." },
);
export type LifecycleHandler = Infer<typeof lifecycleHandlerSchema>;

export const lifecycleSchema = object(
  {
    postStart: documented(
      lifecycleHandlerSchema,
      'Run right after the start; the container is not running until it is done.',
    ),
    preStop: documented(lifecycleHandlerSchema, 'Run before the container is told to end.'),
    stopSignal: pointer(string('Signal that tells the container to end.')),
  },
  { name: 'io.k8s.api.core.v1.Lifecycle', doc: "Hooks at a container's start and end." },
);
export type Lifecycle = Infer<typeof lifecycleSchema>;
