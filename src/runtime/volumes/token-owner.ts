/**
 * Who may read a token in a volume, as the kubelet has it. With a group of the pod's own (`fsGroup`) that group may, and
 * when all containers run as one user that user alone; else the volume's mode says it.
 */
import type { Pod } from '#kube/kinds/core/pod.ts';

const OWNER_ONLY = 0o600;

export function tokenMode(pod: Pod, volumeMode: number): number {
  const isOwned = pod.spec.securityContext?.fsGroup !== undefined || tokenOwner(pod) !== undefined;
  return isOwned ? OWNER_ONLY : volumeMode;
}

/** The user that all containers are said to run as. */
export function tokenOwner({ spec }: Pod): number | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const users = containers.map((one) => one.securityContext?.runAsUser ?? spec.securityContext?.runAsUser);
  return users.every((user) => user === users[0]) ? users[0] : undefined;
}
