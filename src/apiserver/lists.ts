/**
 * Lists that a kind must have stand as null in the canonical form when a client left them out (`containers: null`),
 * as in Kubernetes. The types of kinds do not say so, because no object that passed its checks has one.
 */
export function listOf<T>(list: readonly T[] | null | undefined): readonly T[] {
  return list ?? [];
}
