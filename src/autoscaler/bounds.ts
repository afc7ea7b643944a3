/** Between which numbers of pods a revision stays (facts: 7.6). */

export interface ScaleLimits {
  /** Annotation or config-autoscaler; 0: may scale to zero. */
  readonly minScale: number;
  /** Annotation or config-autoscaler; 0: any number. */
  readonly maxScale: number;
  /** Pods that a new revision must have had once. */
  readonly initialScale: number;
  readonly isInitialised: boolean;
  /** False when no Route leads to it: it may go then, whatever its annotations say. */
  readonly reachable: boolean;
}

export interface Bounds {
  readonly min: number;
  /** 0: none. */
  readonly max: number;
}

export type BoundsReason = 'min-scale' | 'max-scale' | 'initial-scale';

/** The bounds that annotations and configuration set, without regard to the initial scale. */
export function scaleBounds({ minScale, maxScale, reachable }: ScaleLimits): Bounds {
  return { min: reachable ? minScale : 0, max: maxScale };
}

/** `desired` within its bounds; where they contradict each other, the maximum wins. */
export function applyBounds(desired: number, limits: ScaleLimits): { scale: number; reasons: BoundsReason[] } {
  const { min, max } = scaleBounds(limits);
  const floor = initialFloor(limits);
  const lower = Math.max(min, floor);
  const reasons: BoundsReason[] = [];
  let scale = desired;
  if (scale < lower) {
    scale = lower;
    // A floor of zero only turns "not known yet" into none.
    if (lower > 0) reasons.push(floor > min ? 'initial-scale' : 'min-scale');
  }
  if (max !== 0 && scale > max) {
    scale = max;
    reasons.push('max-scale');
  }
  return { scale, reasons };
}

/** An initial scale of more than one pod holds until it was reached; a single pod comes by itself. */
function initialFloor({ initialScale, isInitialised, reachable }: ScaleLimits): number {
  return initialScale > 1 && !isInitialised && reachable ? initialScale : 0;
}

/**
 * Ready pods that make a revision active: all that it must begin with until it had them once, then its minimum and at
 * least one; never more than it may have. 0 only for a new revision that may begin without a pod.
 */
export function activeThreshold(limits: ScaleLimits): number {
  const { min, max } = scaleBounds(limits);
  const threshold = limits.isInitialised ? Math.max(min, 1) : Math.max(min, limits.initialScale);
  return max === 0 ? threshold : Math.min(threshold, max);
}
