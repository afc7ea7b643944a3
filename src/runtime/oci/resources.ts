/** Requests and limits of a container as OCI resources, by the kubelet's rules. Pure. */
import type { ResourceRequirements } from '#kube/kinds/core/resources.ts';
import { quantityToNumber } from '#kube/quantity.ts';

/** Most processes and threads of one container, so that one cannot exhaust the machine's pids. */
const MAX_PIDS = 8_192;

const CPU_PERIOD_US = 100_000;
const MIN_CPU_QUOTA_US = 1_000;
const MIN_CPU_SHARES = 2;
const MAX_CPU_SHARES = 262_144;

export interface OciResources {
  readonly devices: readonly { readonly allow: boolean; readonly access: string }[];
  readonly cpu: { readonly shares: number; readonly quota?: number; readonly period?: number };
  readonly memory?: { readonly limit: number; readonly swap: number };
  readonly pids: { readonly limit: number };
}

export function ociResources(resources: ResourceRequirements | undefined, isPrivileged: boolean): OciResources {
  const { requests = {}, limits = {} } = resources ?? {};
  const cpuLimit = quantityToNumber(limits['cpu']);
  // Without a request the limit counts as one.
  const cpuRequest = requests['cpu'] === undefined ? cpuLimit : quantityToNumber(requests['cpu']);
  const memoryLimit = Math.floor(quantityToNumber(limits['memory']));
  const quota =
    cpuLimit > 0
      ? { quota: Math.max(MIN_CPU_QUOTA_US, Math.floor(cpuLimit * CPU_PERIOD_US)), period: CPU_PERIOD_US }
      : {};
  return {
    devices: [{ allow: isPrivileged, access: 'rwm' }],
    cpu: { shares: cpuShares(cpuRequest), ...quota },
    ...(memoryLimit > 0 ? { memory: { limit: memoryLimit, swap: memoryLimit } } : {}),
    pids: { limit: MAX_PIDS },
  };
}

function cpuShares(cpus: number): number {
  return Math.min(MAX_CPU_SHARES, Math.max(MIN_CPU_SHARES, Math.floor(cpus * 1_024)));
}
