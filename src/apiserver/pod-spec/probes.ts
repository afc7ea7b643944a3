/** Probes and lifecycle hooks: one handler each, and numbers that make sense. */
import {
  child,
  type FieldError,
  forbiddenField,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type { HTTPGetAction, LifecycleHandler, Probe } from '#kube/kinds/core/probe.ts';
import { httpHeaderNameProblems, portNameProblems, portNumberProblems } from '#kube/names.ts';
import { notNegative, problemsAt, requiredText } from '#apiserver/pod-spec/checks.ts';

const SCHEMES = ['HTTP', 'HTTPS'];

export interface ProbeRules {
  /** Whether one success must be enough, as for liveness and startup. */
  readonly succeedsOnce: 'always' | 'never';
  /** The pod's grace period. */
  readonly grace: number | undefined;
}

export function probeErrors(probe: Probe | undefined, path: string, { succeedsOnce, grace }: ProbeRules): FieldError[] {
  if (!probe) return [];
  const { terminationGracePeriodSeconds: ownGrace, successThreshold } = probe;
  const at = (name: string) => child(path, name);
  const errors = [
    ...handlerErrors(probe, path, grace),
    ...notNegative(at('initialDelaySeconds'), probe.initialDelaySeconds),
    ...notNegative(at('timeoutSeconds'), probe.timeoutSeconds),
    ...notNegative(at('periodSeconds'), probe.periodSeconds),
    ...notNegative(at('successThreshold'), successThreshold),
    ...notNegative(at('failureThreshold'), probe.failureThreshold),
  ];
  if (ownGrace !== undefined && ownGrace <= 0) {
    errors.push(invalidField(at('terminationGracePeriodSeconds'), ownGrace, 'must be greater than 0'));
  }
  if (succeedsOnce === 'always' && successThreshold !== 1) {
    errors.push(invalidField(at('successThreshold'), successThreshold ?? 0, 'must be 1'));
  }
  if (succeedsOnce === 'never' && ownGrace !== undefined) {
    errors.push(invalidField(at('terminationGracePeriodSeconds'), ownGrace, 'must not be set for readinessProbes'));
  }
  return errors;
}

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>;

export function handlerErrors(handler: Handler, path: string, grace: number | undefined): FieldError[] {
  const checks: Readonly<Record<keyof Handler, () => FieldError[]>> = {
    exec: () => (handler.exec?.command?.length ? [] : [requiredField(child(path, 'exec.command'))]),
    httpGet: () => (handler.httpGet ? httpGetErrors(handler.httpGet, child(path, 'httpGet')) : []),
    tcpSocket: () => portErrors(handler.tcpSocket?.port ?? 0, child(path, 'tcpSocket.port')),
    grpc: () => portErrors(handler.grpc?.port ?? 0, child(path, 'grpc.port')),
    sleep: () => sleepErrors(handler.sleep?.seconds ?? 0, grace, child(path, 'sleep')),
  };
  const given = (Object.keys(checks) as (keyof Handler)[]).filter((name) => handler[name] !== undefined);
  if (given.length === 0) return [requiredField(path, 'must specify a handler type')];
  const [first, ...more] = given;
  return [
    ...(first ? checks[first]() : []),
    ...more.map((name) => forbiddenField(child(path, name), 'may not specify more than 1 handler type')),
  ];
}

function httpGetErrors({ path: urlPath, port, scheme, httpHeaders = [] }: HTTPGetAction, path: string): FieldError[] {
  return [
    ...requiredText(child(path, 'path'), urlPath),
    ...portErrors(port, child(path, 'port')),
    ...(SCHEMES.includes(scheme ?? '') ? [] : [notSupportedField(child(path, 'scheme'), scheme ?? '', SCHEMES)]),
    ...httpHeaders.flatMap(({ name }) => problemsAt(child(path, 'httpHeaders'), name, httpHeaderNameProblems(name))),
  ];
}

/** A port by number or by name. */
export function portErrors(port: number | string, path: string): FieldError[] {
  return problemsAt(path, port, typeof port === 'number' ? portNumberProblems(port) : portNameProblems(port));
}

function sleepErrors(seconds: number, grace: number | undefined, path: string): FieldError[] {
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
  return [invalidField(path, seconds, detail)];
}
