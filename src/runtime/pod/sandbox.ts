/**
 * What a pod's containers share: the network namespace from the pool, the files below /etc that describe it, and the
 * volumes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { namespaceOf, nameOf, uidOf } from '#kube/object.ts';
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

/** The kubelet cuts host names here. */
const MAX_HOSTNAME = 63;

export function hostnameOf(pod: Pod): string {
  return (pod.spec.hostname ?? nameOf(pod)).slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
}

export async function makeSandbox(env: AgentEnvironment, pod: Pod, signal: AbortSignal): Promise<Sandbox> {
  const paths = podPaths(env.podFolders, uidOf(pod));
  mkdirSync(paths.etc, { recursive: true, mode: 0o755 });
  if (pod.spec.hostNetwork) {
    writeEtc(env, pod, env.node.address);
    return { netns: undefined, address: env.node.address };
  }
  const network = await env.network.lease(signal);
  writeEtc(env, pod, network.address);
  return { netns: network.namespace, address: network.address };
}

function writeEtc(env: AgentEnvironment, pod: Pod, address: string): void {
  const { etc } = podPaths(env.podFolders, uidOf(pod));
  const hostname = hostnameOf(pod);
  const write = (name: string, text: string) => writeFileSync(path.join(etc, name), text, { mode: 0o644 });
  write('hostname', `${hostname}\n`);
  write('hosts', hostsFile(pod, hostname, address));
  write('resolv.conf', env.resolvConf(namespaceOf(pod)));
}

function hostsFile({ spec }: Pod, hostname: string, address: string): string {
  const aliases = (spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${address}\t${hostname}`,
    ...aliases,
  ];
  return `${lines.join('\n')}\n`;
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
