/**
 * Flattens the traffic of a Route to Revisions: who gets what share on the Route's own host and on each tag's, or why
 * that cannot be said yet. Nothing downstream changes while one target is missing or not ready.
 */
import { labelsOf, nameOf } from '#kube/object.ts';
import { type ConditionStatus, findCondition, isReady, READY, type Reason } from '#knative/conditions.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import type { Route } from '#knative/kinds/route.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { CONFIGURATION_LABEL, SERVICE_LABEL } from '#knative/labels.ts';
import { type Protocol, protocolOf } from '#serving/revision/protocol.ts';
import { type ConfigurationRollout, type Rollout, rolloutOf, sortRollout } from '#serving/route/rollout.ts';

export interface RevisionTarget {
  /** Empty for the Route's own host. */
  readonly tag: string;
  readonly revisionName: string;
  /** Empty when the Revision stands alone. */
  readonly configurationName: string;
  readonly latestRevision: boolean;
  readonly percent: number;
  readonly protocol: Protocol;
}

export interface Traffic {
  /** Tag → targets, the Route's own host under the empty one, which comes first. */
  readonly byTag: ReadonlyMap<string, readonly RevisionTarget[]>;
  /** As the status reports it: one entry per tag, Revision and latestRevision. */
  readonly reported: readonly RevisionTarget[];
}

/** Why traffic cannot be assigned: what condition AllTrafficAssigned gets. */
export interface TrafficProblem extends Reason {
  readonly status: Exclude<ConditionStatus, 'True'>;
}

export interface TrafficWorld {
  readonly route: Route;
  /** By name, in the Route's namespace. */
  readonly revision: (name: string) => Revision | undefined;
  readonly configuration: (name: string) => Configuration | undefined;
}

export function planTraffic(world: TrafficWorld): Traffic | TrafficProblem {
  const targets: RevisionTarget[] = [];
  let problem: TrafficProblem | undefined;
  for (const target of world.route.spec.traffic ?? []) {
    const result = resolve(world, target);
    if (!('message' in result)) targets.push(result);
    // The first problem is told, unless a later one is known to be final.
    else if (!problem || result.status === 'False') problem = result;
  }
  return problem ?? { byTag: groupByTag(targets), reported: mergeEqual(targets) };
}

export function isProblem(traffic: Traffic | TrafficProblem): traffic is TrafficProblem {
  return 'message' in traffic;
}

function resolve(world: TrafficWorld, target: TrafficTarget): RevisionTarget | TrafficProblem {
  const revision = target.revisionName ? pinned(world, target.revisionName) : latest(world, target);
  if (!('metadata' in revision)) return revision;
  const owner = labelsOf(revision)[CONFIGURATION_LABEL];
  if (target.revisionName && owner !== undefined && !world.configuration(owner)) return missing('Configuration', owner);
  return {
    tag: target.tag ?? '',
    revisionName: nameOf(revision),
    configurationName: (target.revisionName ? owner : target.configurationName) ?? '',
    latestRevision: target.latestRevision ?? !target.revisionName,
    percent: target.percent ?? 0,
    protocol: protocolOf(revision),
  };
}

function pinned({ route, revision: find }: TrafficWorld, name: string): Revision | TrafficProblem {
  const revision = find(name);
  if (!revision) return missing('Revision', name);
  const wanted = labelsOf(route)[SERVICE_LABEL];
  const actual = labelsOf(revision)[SERVICE_LABEL];
  if (wanted && wanted !== actual) return foreign(name, wanted, actual);
  return isReady(revision) ? revision : unreadyRevision(revision);
}

function latest(world: TrafficWorld, target: TrafficTarget): Revision | TrafficProblem {
  const name = target.configurationName ?? '';
  const configuration = world.configuration(name);
  if (!configuration) return missing('Configuration', name);
  const newest = configuration.status?.latestReadyRevisionName;
  if (!newest) return unreadyConfiguration(configuration);
  const revision = world.revision(newest);
  if (!revision) return missing('Revision', newest);
  return isReady(revision) ? revision : unreadyRevision(revision);
}

const REASON = 'RevisionMissing';

function missing(kind: 'Configuration' | 'Revision', name: string): TrafficProblem {
  return { status: 'False', reason: `${kind}Missing`, message: `${kind} "${name}" referenced in traffic not found.` };
}

function foreign(name: string, wanted: string, actual: string | undefined): TrafficProblem {
  const message = actual
    ? `Revision "${name}" belongs to Service "${actual}", not Service "${wanted}".`
    : `Revision "${name}" does not belong to Service "${wanted}".`;
  return { status: 'False', reason: 'RevisionNotOwned', message };
}

function unreadyConfiguration(configuration: Configuration): TrafficProblem {
  const subject = `Configuration "${nameOf(configuration)}"`;
  const isFailed = findCondition(configuration.status, READY)?.status === 'False';
  return isFailed
    ? { status: 'False', reason: REASON, message: `${subject} does not have any ready Revision.` }
    : { status: 'Unknown', reason: REASON, message: `${subject} is waiting for a Revision to become ready.` };
}

function unreadyRevision(revision: Revision): TrafficProblem {
  const subject = `Revision "${nameOf(revision)}"`;
  return findCondition(revision.status, READY)?.status === 'False'
    ? { status: 'False', reason: REASON, message: `${subject} failed to become ready.` }
    : { status: 'Unknown', reason: REASON, message: `${subject} is not yet ready.` };
}

function mergeEqual(targets: readonly RevisionTarget[]): RevisionTarget[] {
  return sumBy(targets, ({ tag, revisionName, latestRevision }) => `${tag}\n${revisionName}\n${latestRevision}`);
}

function groupByTag(targets: readonly RevisionTarget[]): Map<string, readonly RevisionTarget[]> {
  const groups = new Map<string, RevisionTarget[]>([['', [...targets]]]);
  for (const target of targets) {
    if (target.tag !== '') groups.set(target.tag, [...(groups.get(target.tag) ?? []), target]);
  }
  const sorted = [...groups].sort(([left], [right]) => (left < right ? -1 : 1));
  return new Map(sorted.map(([tag, group]) => [tag, consolidate(group)]));
}

/** Shares of one Revision are added up; a Revision alone on its host gets everything, whatever its share elsewhere. */
function consolidate(targets: readonly RevisionTarget[]): readonly RevisionTarget[] {
  const merged = sumBy(targets, ({ revisionName }) => revisionName);
  const [only] = merged;
  return only && merged.length === 1 ? [{ ...only, percent: 100 }] : merged;
}

function sumBy(targets: readonly RevisionTarget[], keyOf: (target: RevisionTarget) => string): RevisionTarget[] {
  const sums = new Map<string, RevisionTarget>();
  for (const target of targets) {
    const known = sums.get(keyOf(target));
    sums.set(keyOf(target), known ? { ...known, percent: known.percent + target.percent } : target);
  }
  return [...sums.values()];
}

/** What a rollout heads for: every Configuration's share on its latest ready Revision. */
export function goalOf({ byTag }: Traffic): Rollout {
  const states: ConfigurationRollout[] = [];
  for (const [tag, targets] of byTag) {
    for (const { latestRevision, percent, configurationName, revisionName } of targets) {
      if (!latestRevision || percent === 0) continue;
      const revisions = [{ revisionName, percent }];
      states.push({ configurationName, ...(tag === '' ? {} : { tag }), percent, revisions, stepParams: {} });
    }
  }
  return sortRollout(states);
}

/** `status.traffic`, with the shares that a rollout under way gives; `urlOf` answers a tag's URL. */
export function reportTraffic(
  { reported }: Traffic,
  rollout: Rollout,
  urlOf: (tag: string) => string,
): TrafficTarget[] {
  return reported.flatMap(({ tag, revisionName, configurationName, latestRevision, percent }) => {
    const state = latestRevision ? rolloutOf(rollout, tag, configurationName) : undefined;
    const shares = state?.revisions ?? [{ revisionName, percent }];
    const host = tag === '' ? {} : { tag, url: urlOf(tag) };
    return shares.map((share) => ({
      latestRevision,
      percent: share.percent,
      revisionName: share.revisionName,
      ...host,
    }));
  });
}
