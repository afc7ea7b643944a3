/** Ports: at most one over all containers, and none of those that the platform uses in a pod. */
import {
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  outOfBounds,
  via,
} from '#knative/field-error.ts';
import type { Container } from '#knative/kinds/revision-spec.ts';

type Port = NonNullable<Container['ports']>[number];

const RESERVED_PORTS = new Set([8008, 8012, 8013, 8022, 9090, 9091]);
const PORT_RANGE = [0, 65_535] as const;
const PORT_NAMES = new Set(['', 'h2c', 'http1']);

/** The name that a probe may use for the port, where the user gave none. */
const DEFAULT_PORT_NAME = 'http';

/** The name by which probes may call the port that requests arrive at. */
export function servingPortName(containers: readonly Container[]): string {
  const port = containers.flatMap(({ ports }) => ports?.[0] ?? []).at(-1);
  return port?.name || DEFAULT_PORT_NAME;
}

/** How many ports there are over all containers. */
export function validatePortCount(containers: readonly Container[]): FieldErrors {
  const count = containers.reduce((total, { ports = [] }) => total + ports.length, 0);
  if (count > 1) {
    const details = 'Only a single port is allowed across all containers';
    return via('containers[*]', fieldError('more than one container port is set', 'ports', details));
  }
  return count === 0 && containers.length > 1 ? via('containers[*]', missingField('ports')) : noErrors;
}

export function validatePorts(ports: readonly Port[]): FieldErrors {
  const [port] = ports;
  if (!port) return noErrors;
  const { name = '', protocol = '' } = port;
  const ofProtocol = protocol === '' || protocol === 'TCP' ? noErrors : invalidValue(protocol, 'protocol');
  const details = "Name must be empty, or one of: 'h2c', 'http1'";
  const ofName = PORT_NAMES.has(name) ? noErrors : fieldError(`Port name ${name} is not allowed`, '', details);
  return via('ports', [...validateNumber(port), ...ofProtocol, ...ofName]);
}

/** Init containers may declare any ports; nothing is sent to them. */
export function validateInitPorts(ports: readonly Port[]): FieldErrors {
  return via('ports', ports.flatMap(validateNumber));
}

function validateNumber(port: Port): FieldErrors {
  const { containerPort } = port;
  const refused = disallowedPortFields(port);
  if (RESERVED_PORTS.has(containerPort)) {
    const details = `${containerPort} is a reserved port, please use a different value`;
    return [...refused, ...invalidValue(`${containerPort} is a reserved port`, 'containerPort', details)];
  }
  const isOutside = containerPort < PORT_RANGE[0] || containerPort > PORT_RANGE[1];
  return isOutside ? [...refused, ...outOfBounds(containerPort, PORT_RANGE, 'containerPort')] : refused;
}

/** Members that only the port of an init container can still have here. */
function disallowedPortFields(port: Port): FieldErrors {
  const names = Object.keys(port).filter((name) => !['name', 'containerPort', 'protocol'].includes(name));
  return names.length === 0 ? noErrors : fieldError('must not set the field(s)', names);
}
