/**
 * Between which numbers of pods a revision stays. Where the bounds contradict each other, the lower one wins, as seen
 * with Knative 1.17: a min-scale above the max-scale of config-autoscaler holds, and an initial scale above the maximum
 * until it was reached. (Two annotations that contradict each other are refused at admission.)
 */

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

/** `desired` within its bounds, and which of them moved it. */
export function applyBounds(desired: number, limits: ScaleLimits): { scale: number; reasons: BoundsReason[] } {
  const { min, max } = scaleBounds(limits);
  const floor = initialFloor(limits);
  const lower = Math.max(min, floor);
  if (desired < lower) {
    // A floor of zero only turns "not known yet" into none.
    return { scale: lower, reasons: lower === 0 ? [] : [floor > min ? 'initial-scale' : 'min-scale'] };
  }
  if (max !== 0 && desired > max) return { scale: max, reasons: ['max-scale'] };
  return { scale: desired, reasons: [] };
}

/** An initial scale of more than one pod holds until it was reached; a single pod comes by itself. */
function initialFloor({ initialScale, isInitialised, reachable }: ScaleLimits): number {
  return initialScale > 1 && !isInitialised && reachable ? initialScale : 0;
}

/**
 * Ready pods that make a revision active: all that it must begin with until it had them once, then its minimum and at
 * least one. 0 only for a new revision that may begin without a pod.
 */
export function activeThreshold(limits: ScaleLimits): number {
  const { min } = scaleBounds(limits);
  return Math.max(min, limits.isInitialised ? 1 : limits.initialScale);
}
