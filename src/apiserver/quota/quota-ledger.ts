/**
 * Holds writes to the ResourceQuotas of their namespace.
 *
 * What is used is read off the store at every such write, so it can't drift, and no status needs to be right for it. A
 * write that was let through and is on its way to the disk is in the ledger until it is decided: of several at once
 * only as many pass as there is room for. Where no quota is, nothing is looked at.
 */
import type { Clock } from '#base/clock.ts';
import type { Kind } from '#kube/kind.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import { type KubeObject, nameOf, uidOf } from '#kube/object.ts';
import { compareQuantities } from '#kube/quantity.ts';
import { add, type Amounts, amountOf, formatAmounts, largest, readAmounts, subtract } from '#kube/quota/amounts.ts';
import { isInScope } from '#kube/quota/scopes.ts';
import { kindCountedBy, unsaidBy, usageOf } from '#kube/quota/usage.ts';
import { forbidden } from '#kube/status.ts';
import type { Store } from '#store/store.ts';

const QUOTAS = 'resourcequotas';

/** Of Kubernetes' kinds the only one whose use an update may change. */
const CHANGING = 'services';

/** Nobody counts events. */
const UNCOUNTED = 'events';

export interface QuotaWrite {
  readonly kind: Kind;
  /** Where the store keeps it. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly object: KubeObject;
  /** Absent for a creation. */
  readonly old: KubeObject | undefined;
}

export class QuotaLedger {
  readonly #store: Store;
  readonly #clock: Clock;
  /** Writes that are on their way, by the UID of their object. */
  readonly #underway = new Map<string, QuotaWrite>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Throws Forbidden when there is no room. What it answers is disposed of when the write is decided. */
  admit(write: QuotaWrite): Disposable | undefined {
    const { resource, namespace, old } = write;
    if (namespace === undefined || this.#store.count(QUOTAS) === 0) return undefined;
    if (resource === UNCOUNTED || (old && resource !== CHANGING)) return undefined;
    const { objects } = this.#store.list(QUOTAS, { namespace });
    const quotas = (objects as ResourceQuota[]).filter((quota) => namesFor(quota, write).length > 0);
    for (const quota of quotas) this.#check(quota, write);
    if (quotas.length === 0) return undefined;
    const uid = uidOf(write.object);
    this.#underway.set(uid, write);
    return { [Symbol.dispose]: () => void this.#underway.delete(uid) };
  }

  #check(quota: ResourceQuota, write: QuotaWrite): void {
    const { kind, resource, object, old } = write;
    const names = namesFor(quota, write);
    const refuse = (why: string) => forbidden(kind, nameOf(object), why);
    const unsaid = resource === 'pods' ? unsaidBy(object as Pod, names) : undefined;
    if (unsaid !== undefined) throw refuse(`failed quota: ${nameOf(quota)}: must specify ${unsaid}`);
    const now = this.#clock.now();
    const before: Amounts = old && isInScope(quota, resource, old) ? usageOf(resource, old, now) : new Map();
    const requested = subtract(usageOf(resource, object, now), before);
    const asked = names.filter((name) => amountOf(requested, name).nanos > 0n);
    if (asked.length === 0) return;
    const used = this.#used(quota, write);
    const hard = readAmounts(quota.spec?.hard);
    const wanted = add(used, requested);
    const over = asked.filter((name) => compareQuantities(amountOf(wanted, name), amountOf(hard, name)) > 0);
    if (over.length === 0) return;
    const [asks, has, may] = [requested, used, hard].map((amounts) => formatAmounts(amounts, over));
    throw refuse(`exceeded quota: ${nameOf(quota)}, requested: ${asks}, used: ${has}, limited: ${may}`);
  }

  /** What objects of the written kind use of the quota. One that is stored and on its way counts once, as it is larger. */
  #used(quota: ResourceQuota, { resource, namespace }: QuotaWrite): Amounts {
    const now = this.#clock.now();
    const { objects } = this.#store.list(resource, { namespace });
    const stored = (objects as KubeObject[]).filter((object) => isInScope(quota, resource, object));
    const use = new Map(stored.map((object) => [uidOf(object), usageOf(resource, object, now)]));
    for (const [uid, write] of this.#underway) {
      const isMeant = write.resource === resource && write.namespace === namespace;
      if (!isMeant || !isInScope(quota, resource, write.object)) continue;
      use.set(uid, largest(use.get(uid) ?? new Map(), usageOf(resource, write.object, now)));
    }
    return [...use.values()].reduce(add, new Map());
  }
}

/** The resources of the quota that the written object uses. */
function namesFor(quota: ResourceQuota, { resource, object }: QuotaWrite): string[] {
  const names = Object.keys(quota.spec?.hard ?? {}).filter((name) => kindCountedBy(name) === resource);
  return names.length > 0 && isInScope(quota, resource, object) ? names : [];
}
