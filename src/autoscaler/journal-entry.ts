/**
 * What the journal says of a revision, one JSON object per entry: enough to tell why the scale was what it was, and to
 * decide again with other settings. Times are ms since the epoch by the wall clock, for people; the panic's beginning is
 * given as an age, since it is kept in another time.
 */
import type { ScalePlan, ScaleSettings, ScaleSituation } from '#autoscaler/apply-scale.ts';
import type { Decision, Observation, ScalingSpec } from '#autoscaler/decide.ts';
import type { Occasion } from '#autoscaler/deciders.ts';

/** A decision that differs from the one before, with all that went into it. */
export interface DecisionEntry {
  readonly type: 'decision';
  readonly at: number;
  readonly occasion: Occasion;
  readonly spec: ScalingSpec;
  readonly observed: Observation;
  readonly before: DecisionContext;
  readonly decision: Decision;
}

export interface DecisionContext {
  /** How long it had been panicking, ms; absent when it wasn't. */
  readonly panickingMs?: number | undefined;
  readonly maxPanicPods: number;
  /** What the scale-down delay remembered, the largest first. */
  readonly held: readonly number[];
}

/** What was done about a decision, when that differs from what was done before. */
export interface ScaleEntry {
  readonly type: 'scale';
  readonly at: number;
  readonly situation: ScaleSituation;
  readonly settings: ScaleSettings;
  readonly plan: ScalePlan;
}

/** Consecutive seconds with traffic, as the gateway reported them. */
export interface TrafficEntry {
  readonly type: 'traffic';
  /** The last second of them, ms. */
  readonly at: number;
  readonly concurrency: readonly number[];
  readonly requests: readonly number[];
}

/** A request that waited for a pod. */
export interface ColdStartEntry {
  readonly type: 'cold-start';
  readonly at: number;
  readonly pod: string;
  readonly totalMs: number;
  readonly steps: readonly { readonly name: string; readonly durationMs: number }[];
}

/** The autoscaler began to decide on the revision: what it remembered before is gone. */
export interface BeginEntry {
  readonly type: 'begin';
  readonly at: number;
  readonly readyPods: number;
}

export type JournalEntry = DecisionEntry | ScaleEntry | TrafficEntry | ColdStartEntry | BeginEntry;
