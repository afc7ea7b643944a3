/** What a plan works on and answers: the draft of a status, and the steps that make the world follow the spec. */
import type { Conditions, ConditionSet, StatusWithConditions } from '#knative/conditions.ts';
import type { Step } from '#serving/steps.ts';

/** The names of the conditions of a set. */
export type NamesOf<S> = S extends ConditionSet<infer Name> ? Name : never;

/** A copy of the status that the plan may change, and its conditions. */
export interface Draft<S extends StatusWithConditions, Name extends string> {
  readonly status: S;
  readonly conditions: Conditions<Name>;
}

/** An Event to record once the steps are done. */
export interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly notes?: readonly Note[];
  /** Thrown after the steps: the reconcile counts as failed and is tried again. */
  readonly failure?: Error;
  readonly requeueAfterMs?: number;
}
