/** What a PodAutoscaler tells about its revision, as pure rules (facts: 7.5). */
import type { Activity } from '#autoscaler/apply-scale.ts';
import type { ScalingSpec } from '#autoscaler/decide.ts';

const QUEUED = {
  reason: 'Queued',
  message: 'Requests to the target are being buffered as resources are provisioned.',
} as const;
const NO_TRAFFIC = { reason: 'NoTraffic', message: 'The target is not receiving traffic.' } as const;
const TIMED_OUT = { reason: 'TimedOut', message: 'The target could not be activated.' } as const;

export type ActiveCondition =
  | { readonly status: 'True' }
  | { readonly status: 'Unknown' | 'False'; readonly reason: string; readonly message: string };

export interface ActivitySituation {
  /** Pods wanted; -1 when not known. */
  readonly want: number;
  readonly ready: number;
  /** Ready pods that make it active (`activeThreshold`). */
  readonly threshold: number;
  /** Condition Active as it was. */
  readonly activity: Activity;
}

/** Condition Active as it should be; undefined: as it was. */
export function planActive({ want, ready, threshold, activity }: ActivitySituation): ActiveCondition | undefined {
  if (want === 0 || threshold === 0) {
    // Nobody takes away the pods of a revision that is still starting, unless it has failed to start.
    return { status: 'False', ...(activity === 'activating' && threshold > 0 ? TIMED_OUT : NO_TRAFFIC) };
  }
  const staysInactive = want < 0 && activity === 'inactive';
  if (ready >= threshold) return staysInactive ? undefined : { status: 'True' };
  return staysInactive ? { status: 'False', ...NO_TRAFFIC } : { status: 'Unknown', ...QUEUED };
}

export type ServeMode = 'Serve' | 'Proxy';

/** Requests go straight to the pods when pods are wanted and there is capacity to spare for a burst. */
export function planMode(want: number, excessBurstCapacity: number): ServeMode {
  return want > 0 && excessBurstCapacity >= 0 ? 'Serve' : 'Proxy';
}

/** Fewest activators in the way of one revision. */
export const MIN_ACTIVATORS = 2;

/** How many activators are put in the way: enough for what the pods carry and the burst. */
export function planActivators(
  readyPods: number,
  {
    targetBurstCapacity,
    total,
    activatorCapacity,
  }: Pick<ScalingSpec, 'targetBurstCapacity' | 'total' | 'activatorCapacity'>,
): number {
  if (targetBurstCapacity === 0) return MIN_ACTIVATORS;
  const capacity = readyPods * total + Math.max(0, targetBurstCapacity);
  return Math.max(MIN_ACTIVATORS, Math.ceil(capacity / activatorCapacity));
}

/** The scale that the status shows: a decision not yet made doesn't hide the last one. */
export function shownScale(want: number, shown: number | undefined): number {
  return want === -1 && shown !== undefined && shown >= 0 ? shown : want;
}
