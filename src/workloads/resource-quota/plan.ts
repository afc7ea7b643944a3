/** What of a ResourceQuota is used. Pure. */
import type { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import type { KubeObject } from '#kube/object.ts';
import { formatQuantity } from '#kube/quantity.ts';
import { add, type Amounts, amountOf } from '#kube/quota/amounts.ts';
import { isInScope } from '#kube/quota/scopes.ts';
import { kindCountedBy, usageOf } from '#kube/quota/usage.ts';

export type QuotaStatus = NonNullable<ResourceQuota['status']>;

/** @param objectsOf the objects of a kind in the quota's namespace; the kind as `resourceOf` names it. */
export function quotaStatus(
  quota: ResourceQuota,
  objectsOf: (resource: string) => readonly KubeObject[],
  nowMs: number,
): QuotaStatus {
  const hard = quota.spec?.hard ?? {};
  const names = Object.keys(hard);
  const kinds = new Set(names.flatMap((name) => kindCountedBy(name) ?? []));
  let used: Amounts = new Map();
  for (const kind of kinds) {
    for (const object of objectsOf(kind)) {
      if (isInScope(quota, kind, object)) used = add(used, usageOf(kind, object, nowMs));
    }
  }
  if (names.length === 0) return {};
  return { hard, used: Object.fromEntries(names.map((name) => [name, formatQuantity(amountOf(used, name))])) };
}
