/**
 * One reconcile of a kind: read the world from the caches, plan on a draft of the status, carry the steps out, record
 * what is worth an Event, write the status if it differs. Objects that are being deleted are left to their owners'
 * finalizers.
 */
import type { Durability } from '#client/transport.ts';
import type { Outcome, ReconcileContext } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { reconcileStatus } from '#controller/status-reconcile.ts';
import type { Kind } from '#kube/kind.ts';
import { isBeingDeleted, type KubeObject, type ObjectKey, type Stored } from '#kube/object.ts';
import type { ConditionSet, StatusWithConditions } from '#knative/conditions.ts';
import type { Draft, Plan } from '#serving/draft.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { applySteps } from '#serving/steps.ts';

type WithStatus = KubeObject & { status?: StatusWithConditions | undefined };
type StatusOf<T extends WithStatus> = NonNullable<T['status']>;

export interface KindReconciler<T extends WithStatus, Name extends string> {
  readonly kind: Kind<T>;
  readonly conditions: ConditionSet<Name>;
  readonly events: EventRecorder;
  readonly plan: (object: Stored<T>, draft: Draft<StatusOf<T>, Name>) => Plan | Promise<Plan>;
  /** What a step's failure means for the status, beyond being tried again. */
  readonly onFailure?: (error: unknown, draft: Draft<StatusOf<T>, Name>, object: Stored<T>) => void;
  readonly onGone?: (key: ObjectKey) => void;
  readonly durability?: (before: StatusOf<T> | undefined, after: StatusOf<T>) => Durability;
}

export function reconcileKind<T extends WithStatus, Name extends string>(
  environment: ServingEnvironment,
  reconciler: KindReconciler<T, Name>,
): (key: ObjectKey, context: ReconcileContext) => Promise<Outcome> {
  const { caches, client, clock } = environment;
  const { kind, conditions, events, durability, onGone } = reconciler;
  const cache = caches.of(kind);
  return async (key) => {
    const object = cache.byKey(key);
    if (!object) return onGone?.(key);
    if (isBeingDeleted(object)) return;
    const work = async (status: StatusOf<T>, managed: Draft<StatusOf<T>, Name>['conditions']) =>
      converge(environment, { reconciler, object, draft: { status, conditions: managed } });
    const optional = durability ? { durability } : {};
    return reconcileStatus({ kind, object, conditions, client, clock, events, work, ...optional });
  };
}

interface Convergence<T extends WithStatus, Name extends string> {
  readonly reconciler: KindReconciler<T, Name>;
  readonly object: Stored<T>;
  readonly draft: Draft<StatusOf<T>, Name>;
}

async function converge<T extends WithStatus, Name extends string>(
  { client }: ServingEnvironment,
  { reconciler, object, draft }: Convergence<T, Name>,
): Promise<Outcome> {
  const { events, plan, onFailure } = reconciler;
  const { steps, notes = [], failure, requeueAfterMs } = await plan(object, draft);
  try {
    await applySteps(steps, { client, events });
  } catch (error) {
    onFailure?.(error, draft, object);
    throw error;
  }
  for (const { type, reason, message } of notes) {
    if (type === 'Normal') events.normal(object, reason, message);
    else events.warning(object, reason, message);
  }
  if (failure) throw failure;
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}
