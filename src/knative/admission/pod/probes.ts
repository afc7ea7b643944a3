/** Probes: exactly one handler, thresholds, and ports that name the port of the container. */
import {
  type FieldErrors,
  disallowedField,
  exactlyOne,
  fieldError,
  invalidValue,
  noErrors,
  outOfBounds,
} from '#knative/field-error.ts';
import { MAX_INT32 } from '#knative/go/numbers.ts';
import type { Probe } from '#knative/kinds/revision-spec.ts';

const HANDLERS = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const;

/** Where the probe is: beside the port that requests arrive at, or in a container without one. */
export type ProbePlace = { readonly servingPortName: string } | 'sidecar';

export function validateProbe(probe: Probe | undefined, place: ProbePlace): FieldErrors {
  if (!probe) return noErrors;
  const set = HANDLERS.filter((name) => probe[name] !== undefined);
  // Knative calls this one by another name when there are several.
  const shown = set.length > 1 ? set.map((name) => (name === 'grpc' ? 'gRPC' : name)) : set;
  return [
    ...validatePort(probe, 'httpGet', place),
    ...validatePort(probe, 'tcpSocket', place),
    ...exactlyOne(shown, HANDLERS),
  ];
}

function validatePort(probe: Probe, handler: 'httpGet' | 'tcpSocket', place: ProbePlace): FieldErrors {
  const port = probe[handler]?.port;
  if (port === undefined) return noErrors;
  if (place === 'sidecar') {
    return port === 0 || port === '' ? invalidValue(port, `${handler}.port`, 'Probe port must be specified') : noErrors;
  }
  const isOther = typeof port === 'string' && port !== '' && port !== place.servingPortName;
  return isOther ? invalidValue(port, `${handler}.port`, 'Probe port must match container port') : noErrors;
}

export function validateReadinessProbe(probe: Probe | undefined, place: ProbePlace): FieldErrors {
  if (!probe) return noErrors;
  const { periodSeconds = 0 } = probe;
  const atLeast = (least: number, name: 'periodSeconds' | 'initialDelaySeconds' | 'successThreshold') => {
    const value = probe[name] ?? 0;
    return value < least ? outOfBounds(value, [least, MAX_INT32], name) : noErrors;
  };
  return [
    ...validateProbe(probe, place),
    ...atLeast(0, 'periodSeconds'),
    ...atLeast(0, 'initialDelaySeconds'),
    ...atLeast(1, 'successThreshold'),
    ...validateThresholds(probe, periodSeconds),
  ];
}

const PACED = ['failureThreshold', 'timeoutSeconds'] as const;

/** Without a period the platform probes as often as is sensible, and these two have no meaning. */
function validateThresholds(probe: Probe, periodSeconds: number): FieldErrors {
  return PACED.flatMap((name) => {
    const value = probe[name] ?? 0;
    if (periodSeconds === 0) {
      return value === 0 ? noErrors : fieldError(`${name} is disallowed when periodSeconds is zero`, name);
    }
    return value < 1 ? outOfBounds(value, [1, MAX_INT32], name) : noErrors;
  });
}

/** A container that gets no requests may have no probe at all, unless a flag says so. */
export function refuseProbe(probe: Probe | undefined): FieldErrors {
  if (!probe) return noErrors;
  const members = Object.keys(probe);
  const hasHandler = HANDLERS.some((name) => members.includes(name));
  const others = members.filter((name) => !HANDLERS.some((handler) => handler === name));
  const paths = hasHandler ? ['', ...others] : others;
  return paths.length === 0 ? noErrors : disallowedField(...paths);
}
