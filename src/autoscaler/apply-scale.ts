/**
 * From the number of pods that a decision asks for to what is done about it now (facts: 7.6): bounds, and the care
 * that the last pod is taken away with. Pure; time comes in as durations, what to do comes out as a plan.
 *
 *     activating ──ready──▶ active ──idle for a stable window──▶ inactive, requests by way of the activator
 *         └─ never ready: give up ─▶ 0                               └─ grace and retention are over ─▶ 0
 *
 * A revision's last pod goes only when nothing can be lost by it: it has been idle, and whatever comes from now on is
 * held by the activator until there is a pod again.
 */
import { applyBounds, type BoundsReason, type ScaleLimits } from '#autoscaler/bounds.ts';
import { unreachable } from '#base/assert.ts';

/** No decision yet. */
export const UNKNOWN_SCALE = -1;

/** How much longer than the progress deadline an activation may take: the Deployment reports its own failure first. */
const ACTIVATION_TIMEOUT_BUFFER_MS = 30_000;
/** When to look again after a revision turned inactive that is behind the activator already. */
const DEACTIVATED_RECHECK_MS = 3_000;
/** When to look again whether requests go by way of the activator. */
const ACTIVATOR_RECHECK_MS = 1_000;

/** Condition Active of the PodAutoscaler: Unknown, True or False. */
export type Activity = 'activating' | 'active' | 'inactive';

export interface ScaleSettings {
  readonly enableScaleToZero: boolean;
  readonly stableWindowMs: number;
  readonly gracePeriodMs: number;
  /** 0 for a revision that no Route leads to. */
  readonly podRetentionMs: number;
  readonly progressDeadlineMs: number;
  /** Target burst capacity -1: requests always go by way of the activator. */
  readonly isAlwaysProxied: boolean;
}

export interface ScaleSituation {
  /** The last decision; -1 when there is none. */
  readonly desired: number;
  readonly limits: ScaleLimits;
  readonly activity: Activity;
  /** How long it has been so. */
  readonly activityMs: number;
  /** The ServerlessService asks for the activator. */
  readonly isProxyAsked: boolean;
  /** How long its endpoints have been the activator's; 0 when they aren't. */
  readonly proxiedMs: number;
  /** Requests do go by way of the activator, as far as can be told from outside. */
  readonly isBackedByActivator: boolean;
  /** What the scale target asks for now; undefined when there is none. */
  readonly currentReplicas: number | undefined;
}

export type ScaleAction = { readonly type: 'none' } | { readonly type: 'scale'; readonly replicas: number };

export type ScaleReason =
  | BoundsReason
  | 'no-decision'
  | 'scale-to-zero-disabled'
  | 'activating'
  | 'activation-failed'
  | 'recently-active'
  | 'deactivated'
  | 'not-behind-activator'
  | 'pod-retention'
  | 'grace-period'
  | 'idle';

export interface ScalePlan {
  /** What the PodAutoscaler shows as desired; -1 when there is nothing to tell yet. */
  readonly want: number;
  readonly action: ScaleAction;
  /** When the answer may change by time alone. */
  readonly againAfterMs?: number | undefined;
  /** The rules that shaped it, in order. */
  readonly reasons: readonly ScaleReason[];
}

const NOTHING: ScaleAction = { type: 'none' };

export function planScale(situation: ScaleSituation, settings: ScaleSettings): ScalePlan {
  const { desired, activity } = situation;
  if (desired < 0 && activity !== 'activating') return { want: desired, action: NOTHING, reasons: ['no-decision'] };
  const bounded = applyBounds(desired, situation.limits);
  if (bounded.scale > 0) return scaleTo(bounded.scale, situation, bounded.reasons);
  const plan = planZero(situation, settings);
  return { ...plan, reasons: [...bounded.reasons, ...plan.reasons] };
}

function planZero(situation: ScaleSituation, settings: ScaleSettings): ScalePlan {
  if (!settings.enableScaleToZero) return scaleTo(1, situation, ['scale-to-zero-disabled']);
  switch (situation.activity) {
    case 'activating':
      return whileActivating(situation, settings);
    case 'active':
      return whileActive(situation, settings);
    case 'inactive':
      return whileInactive(situation, settings);
    default:
      return unreachable(situation.activity);
  }
}

function whileActivating(situation: ScaleSituation, { progressDeadlineMs }: ScaleSettings): ScalePlan {
  const timeoutMs = progressDeadlineMs + ACTIVATION_TIMEOUT_BUFFER_MS;
  if (situation.activityMs > timeoutMs) return scaleTo(0, situation, ['activation-failed']);
  // One more, since only then it has taken longer than the timeout.
  const againAfterMs = timeoutMs - situation.activityMs + 1;
  return { want: UNKNOWN_SCALE, action: NOTHING, againAfterMs, reasons: ['activating'] };
}

function whileActive(situation: ScaleSituation, { stableWindowMs }: ScaleSettings): ScalePlan {
  const { activityMs, isProxyAsked } = situation;
  if (activityMs < stableWindowMs) {
    const againAfterMs = stableWindowMs - activityMs;
    return { ...scaleTo(1, situation, ['recently-active']), againAfterMs };
  }
  // Wanting none without scaling marks the PodAutoscaler inactive, which puts the activator in the way.
  const againAfterMs = isProxyAsked ? DEACTIVATED_RECHECK_MS : undefined;
  return { want: 0, action: NOTHING, againAfterMs, reasons: ['deactivated'] };
}

function whileInactive(situation: ScaleSituation, settings: ScaleSettings): ScalePlan {
  const { activityMs, proxiedMs, isBackedByActivator } = situation;
  const { podRetentionMs, gracePeriodMs, isAlwaysProxied } = settings;
  const wait = (againAfterMs: number, reason: ScaleReason): ScalePlan => {
    return { want: 0, action: NOTHING, againAfterMs, reasons: [reason] };
  };
  if (situation.currentReplicas === 0) return scaleTo(0, situation, ['idle']);
  if (!isAlwaysProxied && !isBackedByActivator) return wait(ACTIVATOR_RECHECK_MS, 'not-behind-activator');
  if (activityMs >= Math.max(gracePeriodMs, podRetentionMs)) return scaleTo(0, situation, ['idle']);
  if (activityMs < podRetentionMs) return wait(podRetentionMs - activityMs, 'pod-retention');
  // The grace period also passes while requests go by way of the activator for want of burst capacity.
  if (proxiedMs < gracePeriodMs) return wait(gracePeriodMs - proxiedMs, 'grace-period');
  return scaleTo(0, situation, ['idle']);
}

function scaleTo(replicas: number, { currentReplicas }: ScaleSituation, reasons: readonly ScaleReason[]): ScalePlan {
  const action: ScaleAction = replicas === currentReplicas ? NOTHING : { type: 'scale', replicas };
  return { want: replicas, action, reasons };
}
