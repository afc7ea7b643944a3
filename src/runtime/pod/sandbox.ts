/**
 * What a pod's containers share: the network namespace from the pool and the volumes.
 */
import type { Pod } from '#kube/kinds/core/pod.ts';
import { namespaceOf, uidOf } from '#kube/object.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { podPaths, removePodFolders, unmountPod } from '#runtime/pod/record.ts';
import type { Sandbox } from '#runtime/pod/state.ts';
import type { PodTokens } from '#runtime/volumes/pod-tokens.ts';
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

export interface PodVolumes {
  readonly pod: Pod;
  readonly sandbox: Sandbox;
  readonly tokens: PodTokens;
}

export function preparePodVolumes(env: AgentEnvironment, volumes: PodVolumes): Promise<VolumeSources> {
  return prepareVolumes(volumeRequest(env, volumes));
}

export function refreshPodVolumes(env: AgentEnvironment, volumes: PodVolumes): Promise<string[]> {
  return refreshVolumes(volumeRequest(env, volumes));
}

function volumeRequest(env: AgentEnvironment, { pod, sandbox, tokens }: PodVolumes): VolumeRequest {
  const lookup = env.lookupIn(namespaceOf(pod));
  const { volumes: root, memoryVolumes: memoryRoot } = podPaths(env.podFolders, uidOf(pod));
  return {
    root,
    memoryRoot,
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
      token: (wanted) => tokens.get(wanted),
    },
    stamp: `${new Date(env.clock.now()).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${Math.floor(env.clock.random() * 1e9)}`,
  };
}
