/**
 * The files below /etc that say who a pod is and whom it can reach, as the uppermost read-only layer of a container's
 * root filesystem. They are made in memory and need no mount each; what a container changes of them goes into its own
 * writable layer, like every other file, so none of them can fill the memory of the platform.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, type Stats, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { namespaceOf, nameOf } from '#kube/object.ts';
import type { BindMount } from '#runtime/oci/spec.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';

/** The kubelet cuts host names here. */
const MAX_HOSTNAME = 63;

export function hostnameOf(pod: Pod): string {
  return (pod.spec.hostname ?? nameOf(pod)).slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
}

export interface EtcRequest {
  readonly pod: Pod;
  readonly address: string;
  /** Where the layer is made, anew. */
  readonly folder: string;
  /** The image's layers, from the uppermost down. */
  readonly imageLayers: readonly string[];
}

export interface EtcLayer {
  readonly layers: readonly string[];
  readonly mounts: readonly BindMount[];
}

/** A layer whose /etc looks like the image's; mounts, which nobody can write to, for an image whose /etc is no folder. */
export function makeEtcLayer(env: Pick<AgentEnvironment, 'resolvConf' | 'apiHost'>, request: EtcRequest): EtcLayer {
  const { pod, address, folder, imageLayers } = request;
  const etc = path.join(folder, 'etc');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(etc, { recursive: true, mode: 0o755 });
  const hostname = hostnameOf(pod);
  const files = {
    hostname: `${hostname}\n`,
    hosts: hostsFile(env.apiHost, { pod, hostname, address }),
    'resolv.conf': env.resolvConf(namespaceOf(pod)),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(etc, name), text, { mode: 0o644 });
  const own = imageEtc(imageLayers);
  if (own && !own.isDirectory()) return { layers: [], mounts: Object.keys(files).map((name) => readOnly(etc, name)) };
  if (own) {
    chownSync(etc, own.uid, own.gid);
    chmodSync(etc, own.mode & 0o7777);
  }
  return { layers: [folder], mounts: [] };
}

/** What the uppermost layer that speaks of /etc makes of it; undefined when the image has none. */
function imageEtc(layers: readonly string[]): Stats | undefined {
  for (const layer of layers) {
    const stat = lstatSync(path.join(layer, 'etc'), { throwIfNoEntry: false });
    // A character device is a whiteout.
    if (stat) return stat.isCharacterDevice() ? undefined : stat;
  }
  return undefined;
}

function readOnly(etc: string, name: string): BindMount {
  return { source: path.join(etc, name), destination: `/etc/${name}`, access: 'read-only' };
}

interface HostsRequest {
  readonly pod: Pod;
  readonly hostname: string;
  readonly address: string;
}

function hostsFile(api: AgentEnvironment['apiHost'], { pod, hostname, address }: HostsRequest): string {
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${address}\t${hostname}`,
    `${api.address}\t${api.names.join('\t')}`,
    ...aliases,
  ];
  return `${lines.join('\n')}\n`;
}
