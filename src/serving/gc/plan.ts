/**
 * Which old Revisions of a Configuration are deleted (config-gc).
 *
 * Only what the labeler has put in reserve may go, never the latest ready one and none marked no-gc. Stale ones go
 * first, oldest first, as long as the minimum stays; what is above the maximum then goes whatever its age.
 */
import { annotationsOf, labelsOf, nameOf, type Stored } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import type { GcConfig } from '#knative/config/gc.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { NO_GC_ANNOTATION, ROUTING_STATE_LABEL, ROUTING_STATE_MODIFIED_ANNOTATION } from '#knative/labels.ts';

export interface GcWorld {
  readonly configuration: Configuration;
  readonly revisions: readonly Stored<Revision>[];
}

export interface GcPlan {
  readonly doomed: readonly Stored<Revision>[];
  /** When the next Revision grows stale, if time alone makes one. */
  readonly nextCheckMs?: number | undefined;
}

export function planGarbage({ configuration, revisions }: GcWorld, config: GcConfig, nowMs: number): GcPlan {
  const { minNonActiveRevisions: min, maxNonActiveRevisions: max } = config;
  if (max === undefined && !hasTimeLimit(config)) return { doomed: [] };
  if (revisions.length <= min) return { doomed: [] };
  const idle = revisions.filter((revision) => !isKept(revision, configuration));
  idle.sort((a, b) => lastActiveMs(a) - lastActiveMs(b) || nameOf(a).localeCompare(nameOf(b)));
  const mayGo = idle.length - min;
  if (mayGo <= 0) return { doomed: [] };
  const stale = idle.filter((revision) => staleAtMs(revision, config) <= nowMs).slice(0, mayGo);
  const rest = idle.filter((revision) => !stale.includes(revision));
  if (stale.length >= mayGo) return { doomed: stale };
  const surplus = max === undefined ? [] : rest.slice(0, Math.max(0, rest.length - max));
  return { doomed: [...stale, ...surplus], nextCheckMs: nextStale(rest.slice(surplus.length), config, nowMs) };
}

function hasTimeLimit({ retainSinceCreateTimeMs, retainSinceLastActiveTimeMs }: GcConfig): boolean {
  return retainSinceCreateTimeMs !== undefined || retainSinceLastActiveTimeMs !== undefined;
}

function isKept(revision: Revision, configuration: Configuration): boolean {
  if (configuration.status?.latestReadyRevisionName === nameOf(revision)) return true;
  if (annotationsOf(revision)[NO_GC_ANNOTATION]?.toLowerCase() === 'true') return true;
  return labelsOf(revision)[ROUTING_STATE_LABEL] !== 'reserve';
}

function createdMs(revision: Revision): number {
  return parseTime(revision.metadata.creationTimestamp) ?? 0;
}

function lastActiveMs(revision: Revision): number {
  return parseTime(annotationsOf(revision)[ROUTING_STATE_MODIFIED_ANNOTATION]) ?? createdMs(revision);
}

/** A limit that is disabled does not count; with both disabled nothing grows stale. */
function staleAtMs(revision: Revision, config: GcConfig): number {
  if (!hasTimeLimit(config)) return Number.POSITIVE_INFINITY;
  const byAge = createdMs(revision) + (config.retainSinceCreateTimeMs ?? 0);
  const byUse = lastActiveMs(revision) + (config.retainSinceLastActiveTimeMs ?? 0);
  return Math.max(
    config.retainSinceCreateTimeMs === undefined ? 0 : byAge,
    config.retainSinceLastActiveTimeMs === undefined ? 0 : byUse,
  );
}

function nextStale(left: readonly Revision[], config: GcConfig, nowMs: number): number | undefined {
  const times = left.map((revision) => staleAtMs(revision, config)).filter((at) => Number.isFinite(at) && at > nowMs);
  return times.length === 0 ? undefined : Math.min(...times);
}
