/**
 * What a pod's containers share: the network namespace from the pool and the volumes.
 */
import type { Pod } from '#kube/kinds/core/pod.ts';
import { namespaceOf, uidOf } from '#kube/object.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { podPaths, removePodFolders, unmountPod } from '#runtime/pod/record.ts';
import type { Sandbox } from '#runtime/pod/state.ts';
import {
  prepareVolumes,
  refreshVolumes,
  unmountVolumes,
  type VolumeRequest,
  type VolumeSources,
} from '#runtime/volumes/volumes.ts';

export async function makeSandbox(env: AgentEnvironment, pod: Pod, signal: AbortSignal): Promise<Sandbox> {
  if (pod.spec.hostNetwork) return { netns: undefined, address: env.node.address };
  const network = await env.network.lease(signal);
  return { netns: network.namespace, address: network.address };
}

/** Nothing of the pod may run any more. Removes its mounts, its files and its network, in this order. */
export async function removeSandbox(env: AgentEnvironment, pod: Pod, sandbox: Sandbox | undefined): Promise<void> {
  const paths = podPaths(env.podFolders, uidOf(pod));
  unmountVolumes(paths.volumes);
  unmountPod(env.podFolders, uidOf(pod));
  removePodFolders(env.podFolders, uidOf(pod));
  if (sandbox?.netns !== undefined) await env.network.release(sandbox.address);
}

export function preparePodVolumes(env: AgentEnvironment, pod: Pod, sandbox: Sandbox): Promise<VolumeSources> {
  return prepareVolumes(volumeRequest(env, pod, sandbox));
}

export function refreshPodVolumes(env: AgentEnvironment, pod: Pod, sandbox: Sandbox): Promise<string[]> {
  return refreshVolumes(volumeRequest(env, pod, sandbox));
}

function volumeRequest(env: AgentEnvironment, pod: Pod, sandbox: Sandbox): VolumeRequest {
  const lookup = env.lookupIn(namespaceOf(pod));
  const account = pod.spec.serviceAccountName ?? 'default';
  return {
    root: podPaths(env.podFolders, uidOf(pod)).volumes,
    input: {
      pod,
      podIp: sandbox.address,
      hostIp: env.node.address,
      nodeName: env.node.name,
      allocatable: env.node.allocatable,
    },
    sources: {
      configMap: (name) => lookup.configMap(name),
      secret: (name) => lookup.secret(name),
      token: (request) => lookup.token(account, request),
    },
    stamp: `${new Date(env.clock.now()).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${Math.floor(env.clock.random() * 1e9)}`,
  };
}
