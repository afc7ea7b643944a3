/**
 * How an object comes to its end: at once, after a grace period, or when its finalizers are gone. Pure; `verbs/delete.ts`
 * carries it out.
 */
import { deepEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { formatTime, parseTime } from '#kube/time.ts';
import type { DeleteOptions } from '#client/transport.ts';
import type { Strategy } from '#apiserver/strategy.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export type DeletionStep =
  /** The object goes now; `object` is its last state. */
  | { readonly type: 'remove'; readonly object: KubeObject }
  /** The object stays for a while, marked. */
  | { readonly type: 'mark'; readonly object: KubeObject }
  /** Its end is under way already and this request changes nothing. */
  | { readonly type: 'keep' };

/**
 * @param object a copy of the stored object that may be changed
 * @param now milliseconds since the epoch
 */
export function planDeletion(
  object: KubeObject,
  { strategy, options, now }: { strategy: Strategy; options: DeleteOptions; now: number },
): DeletionStep {
  const grace = graceOf(object, { strategy, options, now });
  if (grace === 'pending') return { type: 'keep' };
  const before = object.metadata.finalizers ?? [];
  const finalizers = finalizersFor(before, strategy, options);
  if (!deepEqual([...before].sort(), [...finalizers].sort())) object.metadata.finalizers = finalizers;
  if (object.metadata.finalizers?.length === 0) delete object.metadata.finalizers;
  const isHeld = (object.metadata.finalizers ?? []).length > 0 || strategy.isHeld?.(object) === true;
  if (grace === 'none' && !isHeld) return { type: 'remove', object };
  if (grace === 'none') markAsDeleting(object, strategy, now);
  if (isHeld || (object.metadata.deletionGracePeriodSeconds ?? 0) > 0) return { type: 'mark', object };
  return { type: 'remove', object };
}

type Grace = 'none' | 'pending' | 'begun';

/** Begins, shortens or leaves alone a graceful deletion, for kinds that have one. */
function graceOf(
  object: KubeObject,
  { strategy, options, now }: { strategy: Strategy; options: DeleteOptions; now: number },
): Grace {
  const { metadata } = object;
  if (!strategy.gracePeriodSeconds) return 'none';
  const asked = options.gracePeriodSeconds;
  const current = metadata.deletionGracePeriodSeconds;
  if (metadata.deletionTimestamp !== undefined) {
    if (current === undefined) return 'none';
    if (asked === undefined || asked >= current) return 'pending';
    const requestedAt = (parseTime(metadata.deletionTimestamp) ?? now) - current * 1_000;
    metadata.deletionTimestamp = formatTime(requestedAt + asked * 1_000);
    metadata.deletionGracePeriodSeconds = asked;
    return 'begun';
  }
  const period = strategy.gracePeriodSeconds(object, asked);
  if (period === undefined) return 'none';
  metadata.deletionTimestamp = formatTime(now + period * 1_000);
  metadata.deletionGracePeriodSeconds = period;
  countUp(object);
  return 'begun';
}

function markAsDeleting(object: KubeObject, strategy: Strategy, now: number): void {
  const { metadata } = object;
  const isNew = metadata.deletionGracePeriodSeconds === undefined && metadata.deletionTimestamp === undefined;
  metadata.deletionTimestamp ??= formatTime(now);
  if (strategy.prepareForDeletion) return strategy.prepareForDeletion(object);
  if (isNew) countUp(object);
  metadata.deletionGracePeriodSeconds = 0;
}

function countUp({ metadata }: KubeObject): void {
  if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation ?? 0) + 1;
}

/** The propagation policy becomes a finalizer that the garbage collector removes when it has done its part. */
function finalizersFor(before: readonly string[], strategy: Strategy, options: DeleteOptions): string[] {
  const current = [...new Set([...before, ...(strategy.deletionFinalizers ?? [])])];
  if (strategy.defaultPropagation === 'Unsupported') return current;
  const others = current.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  const policy = policyOf(current, strategy, options);
  if (policy === 'Orphan') return [...others, ORPHAN];
  return policy === 'Foreground' ? [...others, FOREGROUND] : others;
}

function policyOf(current: readonly string[], strategy: Strategy, options: DeleteOptions): string {
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  if (current.includes(ORPHAN)) return 'Orphan';
  if (current.includes(FOREGROUND)) return 'Foreground';
  return strategy.defaultPropagation ?? 'Background';
}
