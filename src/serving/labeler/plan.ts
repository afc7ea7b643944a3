/**
 * Marks Revisions and Configurations with the Routes that lead to them: the autoscaler keeps routed Revisions up, the
 * garbage collector takes unrouted ones, and clients prune by it.
 *
 * Marks are set as soon as a Route means to lead somewhere, and taken away only once it is settled (ready or failed)
 * at its present generation, so that a Revision keeps its pods until traffic has left it.
 */
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, type Stored } from '#kube/object.ts';
import { controllerOf } from '#kube/owner.ts';
import { formatTime } from '#kube/time.ts';
import { isFailed, isReady } from '#knative/conditions.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import type { Route } from '#knative/kinds/route.ts';
import {
  ROUTES_ANNOTATION,
  ROUTING_STATE_LABEL,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  type RoutingState,
} from '#knative/labels.ts';
import { addToList, readList, removeFromList } from '#serving/annotation-list.ts';
import { merge, type Step } from '#serving/steps.ts';

export interface LabelerWorld {
  readonly route: Stored<Route>;
  /** By name, in the Route's namespace. */
  readonly revision: (name: string) => Stored<Revision> | undefined;
  readonly configuration: (name: string) => Stored<Configuration> | undefined;
  /** What carries the Route's name in its routes annotation now. */
  readonly marked: {
    readonly revisions: readonly Stored<Revision>[];
    readonly configurations: readonly Stored<Configuration>[];
  };
}

export function planLabels(world: LabelerWorld, nowMs: number): Step[] {
  const { route, marked } = world;
  const isGone = isBeingDeleted(route);
  const targets = isGone ? { revisions: new Set<string>(), configurations: new Set<string>() } : targetsOf(world);
  const steps: Step[] = [];
  if (isGone || isReady(route) || isFailed(route)) {
    const left = (one: Stored<Revision>) =>
      !targets.revisions.has(nameOf(one)) && labelsOf(one)[ROUTING_STATE_LABEL] === ('active' satisfies RoutingState);
    steps.push(...marked.revisions.filter(left).flatMap((one) => unmark(route, one, nowMs)));
    const leftBehind = marked.configurations.filter(
      (one) => !targets.configurations.has(nameOf(one)) && !isMarkedByService(one, route),
    );
    steps.push(...leftBehind.flatMap((one) => unmark(route, one, nowMs)));
  }
  for (const name of targets.revisions) steps.push(...mark(route, world.revision(name), nowMs));
  for (const name of targets.configurations) steps.push(...mark(route, world.configuration(name), nowMs));
  return steps;
}

/** A Service marks its Configuration with its own name and puts the mark back: the two must not fight over it. */
function isMarkedByService(configuration: Configuration, route: Route): boolean {
  const owner = controllerOf(configuration);
  return owner?.kind === 'Service' && owner.name === nameOf(route);
}

/** What the spec and the status lead to, and the Revision that is about to take over. */
function targetsOf({ route, revision, configuration }: LabelerWorld) {
  const revisions = new Set<string>();
  const configurations = new Set<string>();
  for (const target of [...(route.status?.traffic ?? []), ...(route.spec.traffic ?? [])]) {
    const named = target.revisionName ? revision(target.revisionName) : undefined;
    if (target.revisionName && !named) continue;
    if (named) revisions.add(nameOf(named));
    const owner = named && controllerOf(named);
    const name = owner?.kind === Configuration.kind ? owner.name : target.configurationName;
    const parent = name ? configuration(name) : undefined;
    if (!parent) continue;
    configurations.add(nameOf(parent));
    const { latestCreatedRevisionName } = parent.status ?? {};
    if (target.latestRevision && latestCreatedRevisionName) revisions.add(latestCreatedRevisionName);
  }
  return { revisions, configurations };
}

type Marked = Stored<Revision> | Stored<Configuration>;

function mark(route: Route, object: Marked | undefined, nowMs: number): Step[] {
  if (!object) return [];
  const before = annotationsOf(object)[ROUTES_ANNOTATION];
  const routes = readList(before).includes(nameOf(route)) ? before : addToList(before, nameOf(route));
  return relabel(object, routes, nowMs);
}

function unmark(route: Route, object: Marked, nowMs: number): Step[] {
  return relabel(object, removeFromList(annotationsOf(object)[ROUTES_ANNOTATION], nameOf(route)), nowMs);
}

/** Only Revisions have a routing state. */
function relabel(object: Marked, routes: string | undefined, nowMs: number): Step[] {
  const annotations: Record<string, string | null> = {};
  const labels: Record<string, string> = {};
  if (annotationsOf(object)[ROUTES_ANNOTATION] !== routes) annotations[ROUTES_ANNOTATION] = routes ?? null;
  const isRevision = object.kind === Revision.kind;
  const state: RoutingState = routes ? 'active' : 'reserve';
  if (isRevision && labelsOf(object)[ROUTING_STATE_LABEL] !== state) {
    labels[ROUTING_STATE_LABEL] = state;
    annotations[ROUTING_STATE_MODIFIED_ANNOTATION] = formatTime(nowMs);
  }
  if (Object.keys(annotations).length === 0) return [];
  const metadata = Object.keys(labels).length === 0 ? { annotations } : { annotations, labels };
  const { namespace, name } = object.metadata;
  const doing = `failed to change the route annotation of ${object.kind} "${name}"`;
  return [merge(isRevision ? Revision : Configuration, { namespace, name }, { metadata }, { doing })];
}
