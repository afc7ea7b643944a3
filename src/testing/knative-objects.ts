/** Short builders of Knative's objects for tests of pure plans; what a test cares about it says itself. */
import type { KubeObject, ObjectMeta, Stored } from '#kube/object.ts';
import { type Kind, typed } from '#kube/kind.ts';
import type { Condition, Conditions, ConditionSet, StatusWithConditions } from '#knative/conditions.ts';
import { manageConditions } from '#knative/conditions.ts';
import { type KnativeConfig, parseKnativeConfig } from '#knative/config/all.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { someOf } from '#serving/content.ts';
import type { Step } from '#serving/steps.ts';

const NAMESPACE = 'default';

/** An object as the API has it: with an identity, and observed at its generation when it has conditions. */
export function stored<T extends KubeObject>(
  kind: Kind<T>,
  name: string,
  rest: object,
  meta: ObjectMeta = {},
): Stored<T> {
  const metadata = {
    name,
    namespace: NAMESPACE,
    uid: `uid-of-${kind.kind}-${name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...meta,
    labels: someOf(meta.labels),
    annotations: someOf(meta.annotations),
  };
  return typed(kind, { metadata, ...rest } as never) as Stored<T>;
}

export function ready(status: 'True' | 'False' | 'Unknown', reason = '', message = ''): Condition {
  const why = reason === '' ? {} : { reason };
  return { type: 'Ready', status, ...why, ...(message === '' ? {} : { message }) };
}

const template = {
  metadata: {},
  spec: { containers: [{ name: 'user-container', image: 'dev.local/a:1', resources: {} }] },
};

export interface Shape {
  readonly meta?: ObjectMeta;
  readonly status?: object;
  readonly spec?: object;
}

export function service(
  name: string,
  { meta, status, spec }: Shape & { traffic?: TrafficTarget[] } = {},
): Stored<Service> {
  const traffic = [{ latestRevision: true, percent: 100 }];
  return stored(Service, name, { spec: { template, traffic, ...spec }, status }, meta);
}

export function configuration(name: string, { meta, status, spec }: Shape = {}): Stored<Configuration> {
  return stored(Configuration, name, { spec: { template, ...spec }, status }, meta);
}

export function route(name: string, traffic: TrafficTarget[], { meta, status }: Shape = {}): Stored<Route> {
  return stored(Route, name, { spec: { traffic }, status }, meta);
}

/** A Revision of a Configuration, ready unless the status says otherwise. */
export function revision(name: string, { meta, status, spec }: Shape = {}): Stored<Revision> {
  const fine = { observedGeneration: 1, conditions: [ready('True')] };
  return stored(Revision, name, { spec: { ...template.spec, ...spec }, status: status ?? fine }, meta);
}

/** What a plan works on: a copy of the status with its conditions initialised. */
export function draftOf<S extends StatusWithConditions, Name extends string>(
  set: ConditionSet<Name>,
  status: S,
  nowMs = 0,
): { status: S; conditions: Conditions<Name> } {
  const conditions = manageConditions(set, status, nowMs);
  conditions.initialize();
  return { status, conditions };
}

/** `Type Status Reason: message` per condition. */
export function toldBy({ conditions = [] }: StatusWithConditions): string[] {
  return conditions.map(({ type, status, reason, message }) =>
    [type, status, ...(reason ? [`${reason}${message ? ':' : ''}`] : []), ...(message ? [message] : [])].join(' '),
  );
}

/** `verb Kind name` per step. */
export function namesOf(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    const name = 'object' in step ? step.object.metadata.name : step.ref.name;
    return `${step.verb} ${step.kind.kind} ${name}`;
  });
}

/** The object of the kind and name that the steps write. */
export function writtenBy<T extends KubeObject>(steps: readonly Step[], kind: Kind<T>, name: string): T | undefined {
  for (const step of steps) {
    if ('object' in step && step.kind === kind && step.object.metadata.name === name) return step.object as T;
  }
  return undefined;
}

/** Data by name of ConfigMap; each with the keys that must be there. */
export type ConfigMaps = Readonly<Record<string, Readonly<Record<string, string>>>>;

const REQUIRED: ConfigMaps = {
  'config-deployment': { 'queue-sidecar-image': 'dev.local/queue' },
  'config-domain': { 'example.com': '' },
};

export function configOf(maps: ConfigMaps = {}): KnativeConfig {
  const all = { ...REQUIRED, ...maps };
  const data = (name: string) => (name === 'config-domain' ? all[name] : { ...REQUIRED[name], ...all[name] });
  return parseKnativeConfig(
    Object.keys(all).map((name) => ({ metadata: { name }, data: { ...data(name) } })),
    {
      onError: (_, error) => {
        throw error;
      },
    },
  );
}
