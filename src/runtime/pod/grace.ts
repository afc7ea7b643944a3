/** How long a pod may take to end. Pure. */
import type { Pod } from '#kube/kinds/core/pod.ts';

const DEFAULT_GRACE_SECONDS = 30;

/** What the deletion asked for, else what the pod declares, in ms. */
export function graceMs({ metadata, spec }: Pod): number {
  return (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1_000;
}
