/** Keeps the marks of every Route on Revisions and Configurations, and takes them away with it; see `plan.ts`. */
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import {
  annotationsOf,
  isBeingDeleted,
  keyOf,
  type KubeObject,
  namespaceOf,
  type ObjectKey,
  type Stored,
} from '#kube/object.ts';
import { isConflict } from '#kube/status.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { ROUTES_ANNOTATION } from '#knative/labels.ts';
import { readList } from '#serving/annotation-list.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from '#serving/finalizer.ts';
import { type LabelerWorld, planLabels } from '#serving/labeler/plan.ts';
import { indexTargets, routesTo } from '#serving/route/targets.ts';
import { isMoreThanScale, keyIn, namesIn, watchingWhen } from '#serving/sources.ts';
import { applySteps } from '#serving/steps.ts';

const BY_ROUTE = 'routes';

export function createLabeler(environment: ServingEnvironment): Controller {
  const { caches } = environment;
  const routes = caches.of(Route);
  caches.of(Revision).addIndex(BY_ROUTE, markedRoutes);
  caches.of(Configuration).addIndex(BY_ROUTE, markedRoutes);
  indexTargets(routes);
  // A mark may be wrong from birth: a new Revision of a Service is born active, also when its Route is pinned elsewhere.
  const concerned = (object: Stored<Revision> | Stored<Configuration>) => [
    ...routesTo(routes, object),
    ...markedRoutes(object),
  ];
  const events = environment.eventsOf('labeler');
  return new Controller({
    ...environment,
    name: 'labeler',
    sources: [
      watching(routes),
      watching(caches.of(Configuration), ({ object }) => concerned(object)),
      watchingWhen(caches.of(Revision), isMoreThanScale, concerned),
    ],
    reconcile: (key) => reconcileLabels(environment, events, key),
  });
}

/** Keys of the Routes that an object is marked with. */
function markedRoutes(object: KubeObject): ObjectKey[] {
  return namesIn(namespaceOf(object), readList(annotationsOf(object)[ROUTES_ANNOTATION]));
}

async function reconcileLabels(
  environment: ServingEnvironment,
  events: EventRecorder,
  key: ObjectKey,
): Promise<Outcome> {
  const { caches, client, clock } = environment;
  const route = caches.of(Route).byKey(key);
  if (!route || (isBeingDeleted(route) && !hasFinalizer(Route, route))) return;
  try {
    if (!isBeingDeleted(route)) await addFinalizer(Route, route, { client, events });
    await applySteps(planLabels(worldOf(environment, route), clock.now()), { client, events });
    if (isBeingDeleted(route)) await removeFinalizer(Route, route, { client, events });
  } catch (error) {
    if (!isConflict(error) && error instanceof Error) events.warning(route, 'InternalError', error.message);
    throw error;
  }
}

function worldOf({ caches }: ServingEnvironment, route: Stored<Route>): LabelerWorld {
  const revisions = caches.of(Revision);
  const configurations = caches.of(Configuration);
  return {
    route,
    revision: (name) => revisions.byKey(keyIn(route, name)),
    configuration: (name) => configurations.byKey(keyIn(route, name)),
    marked: {
      revisions: revisions.byIndex(BY_ROUTE, keyOf(route)),
      configurations: configurations.byIndex(BY_ROUTE, keyOf(route)),
    },
  };
}
