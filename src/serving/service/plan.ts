/**
 * A Service owns a Configuration and a Route of its name, keeps both as its spec says, and reports what they report.
 *
 * A revision name chosen by the user is dangerous: a Route that moved before the Configuration had made that Revision
 * could lead to somebody else's. So the Route waits until the Configuration has caught up, and stays where it is when
 * the name is taken.
 */
import { deepEqual } from '#base/json.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Route } from '#knative/kinds/route.ts';
import type { Service } from '#knative/kinds/service.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { type Condition, findCondition, READY, type serviceConditions } from '#knative/conditions.ts';
import { nameOf, type Stored } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';
import { isNameConflict } from '#serving/configuration/named-revision.ts';
import { withContentOf } from '#serving/content.ts';
import type { Draft, NamesOf, Plan } from '#serving/draft.ts';
import { NOT_OWNED, notOwned, notOwnedMessage } from '#serving/errors.ts';
import { desiredConfiguration, desiredRoute } from '#serving/service/children.ts';
import { create, type Step, update } from '#serving/steps.ts';

export type ServiceCondition = NamesOf<typeof serviceConditions>;
export type ServiceStatus = NonNullable<Service['status']>;
export type ServiceDraft = Draft<ServiceStatus, ServiceCondition>;

export interface ServiceWorld {
  readonly service: Stored<Service>;
  readonly configuration?: Stored<Configuration> | undefined;
  readonly route?: Stored<Route> | undefined;
  /** The Revision that has the name which the template asks for. */
  readonly namedRevision?: Stored<Revision> | undefined;
}

const CONFIGURATION_BEHIND = {
  reason: 'OutOfDate',
  message: 'The Configuration is still working to reflect the latest desired specification.',
};
const ROUTE_BEHIND = {
  reason: 'OutOfDate',
  message: 'The Route is still working to reflect the latest desired specification.',
};
const NOT_MIGRATED = {
  reason: 'TrafficNotMigrated',
  message: 'Traffic is not yet migrated to the latest revision.',
};

export function planService(world: ServiceWorld, draft: ServiceDraft): Plan {
  const { service, configuration, route } = world;
  const name = nameOf(service);
  if (configuration && !isControlledBy(configuration, service)) {
    const why = { reason: NOT_OWNED, message: notOwnedMessage('Configuration', name) };
    draft.conditions.markFalse('ConfigurationsReady', why);
    return { steps: [], failure: notOwned(`service: "${name}"`, `configuration: "${name}"`) };
  }
  const configured = planConfiguration(service, configuration);
  const template = service.spec.template.metadata?.name;
  if (!configured.isCurrent || !configuration) {
    draft.conditions.markUnknown('ConfigurationsReady', CONFIGURATION_BEHIND);
    if (template) return { steps: configured.steps };
  } else reportConfiguration(configuration, draft);
  if (isNameConflict({ template: service.spec.template, configuration, revision: world.namedRevision })) {
    draft.conditions.markFalse('RoutesReady', nameTaken(template ?? ''));
    return { steps: configured.steps };
  }
  if (route && !isControlledBy(route, service)) {
    draft.conditions.markFalse('RoutesReady', { reason: NOT_OWNED, message: notOwnedMessage('Route', name) });
    return { steps: configured.steps, failure: notOwned(`service: "${name}"`, `route: "${name}"`) };
  }
  const routed = planRoute(service, route);
  if (!routed.isCurrent || !route) draft.conditions.markUnknown('RoutesReady', ROUTE_BEHIND);
  else {
    reportRoute(route, draft);
    checkMigrated({ route, configuration, draft });
  }
  return { steps: [...configured.steps, ...routed.steps] };
}

function nameTaken(name: string) {
  const message = `The revision name "${name}" is taken by a conflicting Revision, so traffic will not be migrated`;
  return { reason: 'RevisionNameTaken', message };
}

interface Child {
  readonly steps: readonly Step[];
  /** Its status is about the spec that it will have after the steps. */
  readonly isCurrent: boolean;
}

function planConfiguration(service: Stored<Service>, existing: Stored<Configuration> | undefined): Child {
  const desired = desiredConfiguration(service, existing);
  const announce = announcement(service, 'Configuration');
  if (!existing) {
    const doing = 'failed to create Configuration';
    return { steps: [create(Configuration, desired, { announce, doing })], isCurrent: false };
  }
  const changed = withContentOf(existing, desired);
  const isCurrent = isObserved(existing) && deepEqual(existing.spec, changed.spec);
  if (deepEqual(existing, changed)) return { steps: [], isCurrent };
  return { steps: [update(Configuration, changed, { doing: 'failed to reconcile Configuration' })], isCurrent };
}

function planRoute(service: Stored<Service>, existing: Stored<Route> | undefined): Child {
  const desired = desiredRoute(service);
  const announce = announcement(service, 'Route');
  if (!existing)
    return { steps: [create(Route, desired, { announce, doing: 'failed to create Route' })], isCurrent: false };
  const changed = withContentOf(existing, desired);
  const isCurrent = isObserved(existing) && deepEqual(existing.spec, changed.spec);
  if (deepEqual(existing, changed)) return { steps: [], isCurrent };
  return { steps: [update(Route, changed, { doing: 'failed to reconcile Route' })], isCurrent };
}

function announcement(service: Service, kind: string) {
  const what = `${kind} "${nameOf(service)}"`;
  return { about: service, created: `Created ${what}`, failed: `Failed to create ${what}` };
}

function isObserved({ metadata, status }: Configuration | Route): boolean {
  return (status?.observedGeneration ?? 0) === (metadata.generation ?? 0);
}

function reportConfiguration({ status }: Configuration, draft: ServiceDraft): void {
  draft.status.latestCreatedRevisionName = status?.latestCreatedRevisionName;
  draft.status.latestReadyRevisionName = status?.latestReadyRevisionName;
  copyReady(findCondition(status, READY), 'ConfigurationsReady', draft);
}

function reportRoute({ status }: Route, draft: ServiceDraft): void {
  draft.status.url = status?.url;
  draft.status.address = status?.address;
  draft.status.traffic = status?.traffic;
  copyReady(findCondition(status, READY), 'RoutesReady', draft);
}

function copyReady(ready: Condition | undefined, type: ServiceCondition, { conditions }: ServiceDraft): void {
  if (ready?.status === 'True') conditions.markTrue(type);
  else if (ready) conditions.copy(type, ready);
}

interface Migration {
  readonly route: Route;
  readonly configuration: Configuration | undefined;
  readonly draft: ServiceDraft;
}

/** The Route may be ready with what it led to before: then traffic has yet to move. */
function checkMigrated({ route, configuration, draft }: Migration): void {
  if (draft.conditions.get('RoutesReady')?.status !== 'True') return;
  const latest = configuration?.status?.latestReadyRevisionName;
  const wanted = (route.spec.traffic ?? []).map((target) =>
    configuration && target.configurationName === nameOf(configuration)
      ? { ...target, configurationName: undefined, revisionName: latest }
      : target,
  );
  const actual = route.status?.traffic ?? [];
  if (!deepEqual(wanted.map(comparable), actual.map(comparable))) {
    draft.conditions.markUnknown('RoutesReady', NOT_MIGRATED);
  }
}

function comparable({ tag, revisionName, configurationName, percent }: TrafficTarget): TrafficTarget {
  return { tag, revisionName, configurationName, percent };
}
