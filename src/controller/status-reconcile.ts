/**
 * The shell around every reconcile of a Knative kind: conditions are initialised, the reconcile works on a copy of the
 * status, the generation counts as observed whether it failed or not, and the status is written only if it differs.
 * A failure becomes a Warning Event `InternalError` and is tried again. (Facts of Knative's generic reconciler.)
 */
import type { Clock } from '#base/clock.ts';
import { clone, deepEqual } from '#base/json.ts';
import type { Client } from '#client/client.ts';
import type { Durability } from '#client/transport.ts';
import type { Outcome } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { Kind } from '#kube/kind.ts';
import { type KubeObject, nameOf, type Stored } from '#kube/object.ts';
import { isConflict, isNotFound, staleVersion } from '#kube/status.ts';
import {
  beginReconcile,
  type Conditions,
  type ConditionSet,
  endReconcile,
  manageConditions,
  READY,
  type StatusWithConditions,
} from '#knative/conditions.ts';

type WithStatus = KubeObject & { status?: StatusWithConditions | undefined };
type StatusOf<T extends WithStatus> = NonNullable<T['status']>;

export interface StatusReconcile<T extends WithStatus, Name extends string> {
  readonly kind: Kind<T>;
  readonly object: Stored<T>;
  readonly conditions: ConditionSet<Name>;
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
  /** Whether a change of the status may be acknowledged from memory; durable when absent. */
  readonly durability?: (before: StatusOf<T> | undefined, after: StatusOf<T>) => Durability;
  /** Converges the world and says so in `status` and `conditions`. */
  readonly work: (status: StatusOf<T>, conditions: Conditions<Name>) => Promise<Outcome>;
}

export async function reconcileStatus<T extends WithStatus, Name extends string>(
  options: StatusReconcile<T, Name>,
): Promise<Outcome> {
  const { object, clock, events } = options;
  const { generation } = object.metadata;
  const status = clone(object.status ?? {}) as StatusOf<T>;
  const conditions = manageConditions(options.conditions, status, clock.now());
  beginReconcile(conditions as Conditions<typeof READY>, status, generation);
  const result = await attempt(() => options.work(status, conditions));
  endReconcile(object.status, status, generation);
  await writeStatus(options, status);
  if (result.error === undefined) return result.outcome;
  if (!isConflict(result.error)) events.warning(object, 'InternalError', result.error.message);
  throw result.error;
}

interface Attempt {
  readonly outcome?: Outcome;
  readonly error?: Error;
}

async function attempt(work: () => Promise<Outcome>): Promise<Attempt> {
  try {
    const outcome = await work();
    return outcome ? { outcome } : {};
  } catch (error) {
    return { error: error instanceof Error ? error : new Error('reconcile failed', { cause: error }) };
  }
}

async function writeStatus<T extends WithStatus, Name extends string>(
  options: StatusReconcile<T, Name>,
  status: StatusOf<T>,
): Promise<void> {
  const { kind, object, client, durability } = options;
  if (deepEqual(object.status ?? {}, status)) return;
  const writer = durability?.(object.status, status) === 'derived' ? client.derived : client;
  const ref = { namespace: object.metadata.namespace, name: object.metadata.name };
  try {
    await writer.modify(kind, ref, (current) => withStatus(options, current, status), 'status');
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * The same object incarnation with the new status; undefined when it was made anew or has the status already. What
 * was written since the object was read, by a reconcile whose word has not come back yet, is not to be lost.
 */
function withStatus<T extends WithStatus, Name extends string>(
  { kind, object }: StatusReconcile<T, Name>,
  current: Stored<T>,
  status: StatusOf<T>,
): T | undefined {
  if (current.metadata.uid !== object.metadata.uid || deepEqual(current.status ?? {}, status)) return undefined;
  if (!deepEqual(current.status ?? {}, object.status ?? {})) throw staleVersion(kind, nameOf(object));
  return { ...current, status };
}
