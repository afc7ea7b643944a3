/**
 * The Node object of this machine and its Lease: what it has, that it is well. Written derived; renewed every ten
 * seconds, so that whoever watches Leases sees it live.
 */
import { readFileSync, statfsSync } from 'node:fs';
import os from 'node:os';
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import { Lease } from '#kube/kinds/coordination/lease.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { typed } from '#kube/kind.ts';
import { isAlreadyExists, isNotFound } from '#kube/status.ts';
import { formatMicroTime, formatTime } from '#kube/time.ts';
import { hasCode } from '#sys/errors.ts';
import { bootId } from '#sys/proc.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;

/** Most pods of this node. */
const MAX_PODS = 1_000;

/** Held back for the system and for us, out of what pods may ask for. */
const RESERVED_MEMORY_BYTES = 256 * 1024 * 1024;

const KUBELET_VERSION = 'v1.33.0';

export interface NodeOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly name: string;
  readonly address: string;
  readonly podCidr: string;
  readonly runtime: string;
  readonly version: string;
  readonly stateDir: string;
}

/** RFC 1123: lower case, letters, digits, hyphens and dots. */
export function nodeName(): string {
  const name = os
    .hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name === '' ? 'localhost' : name;
}

export function capacityOf(stateDir: string): {
  capacity: Record<string, string>;
  allocatable: Record<string, string>;
} {
  const memory = os.totalmem();
  const disk = statfsSync(stateDir);
  const cpu = String(os.availableParallelism());
  const rest = { 'ephemeral-storage': `${Math.floor((disk.blocks * disk.bsize) / 1_024)}Ki`, pods: String(MAX_PODS) };
  return {
    capacity: { cpu, memory: kibibytes(memory), ...rest },
    allocatable: { cpu, memory: kibibytes(Math.max(0, memory - RESERVED_MEMORY_BYTES)), ...rest },
  };
}

function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1_024)}Ki`;
}

export class NodeStatus implements Disposable {
  readonly #options: NodeOptions;
  readonly #startedAt: number;
  #timer: Timer | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  async start(): Promise<void> {
    await this.#write();
    this.#timer = this.#options.clock.every(RENEW_MS, () => void this.#renew());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  async #write(): Promise<void> {
    const { client, name } = this.#options;
    const wanted = this.#node();
    const create = () => client.derived.create(Node, wanted);
    await create().catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    await client.derived.modify(
      Node,
      { name },
      (node) => ({ ...node, status: { ...node.status, ...wanted.status } }),
      'status',
    );
    await this.#renew();
  }

  #node(): Node {
    const { name, podCidr } = this.#options;
    const labels = {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': goArch(),
      'node.kubernetes.io/instance-type': 'pinnace',
    };
    return typed(Node, {
      metadata: { name, labels },
      spec: { podCIDR: podCidr, podCIDRs: [podCidr] },
      status: this.#status(),
    });
  }

  #status(): NonNullable<Node['status']> {
    const { address, name, stateDir, clock } = this.#options;
    return {
      ...capacityOf(stateDir),
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      conditions: conditions(formatTime(this.#startedAt), formatTime(clock.now())),
      nodeInfo: this.#info(),
    };
  }

  #info(): NonNullable<NonNullable<Node['status']>['nodeInfo']> {
    const { runtime, version } = this.#options;
    return {
      architecture: goArch(),
      bootID: bootId(),
      containerRuntimeVersion: `pinnace://${version} (${runtime})`,
      kernelVersion: os.release(),
      kubeProxyVersion: '',
      kubeletVersion: `${KUBELET_VERSION}+pinnace-${version}`,
      machineID: readText('/etc/machine-id').trim(),
      operatingSystem: 'linux',
      osImage: prettyName(readText('/etc/os-release')),
      systemUUID: '',
    };
  }

  async #renew(): Promise<void> {
    const { client, clock, logger, name } = this.#options;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: formatMicroTime(clock.now()) };
    const ref = { namespace: LEASE_NAMESPACE, name };
    try {
      await client.derived.modify(Lease, ref, (lease) => ({ ...lease, spec: { ...lease.spec, ...spec } }));
    } catch (error) {
      if (!isNotFound(error)) return logger.warn('the node lease was not renewed', { error });
      await client.derived.create(Lease, typed(Lease, { metadata: ref, spec })).catch((failure: unknown) => {
        logger.warn('the node lease was not made', { error: failure });
      });
    }
  }
}

type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

function conditions(since: string, now: string): NodeCondition[] {
  const times = { lastHeartbeatTime: now, lastTransitionTime: since };
  const pressure = (type: string, reason: string, message: string): NodeCondition => ({
    type,
    status: 'False',
    ...times,
    reason,
    message,
  });
  return [
    pressure('MemoryPressure', 'KubeletHasSufficientMemory', 'the node agent has sufficient memory available'),
    pressure('DiskPressure', 'KubeletHasNoDiskPressure', 'the node agent has no disk pressure'),
    pressure('PIDPressure', 'KubeletHasSufficientPID', 'the node agent has sufficient PIDs available'),
    {
      type: 'Ready',
      status: 'True',
      ...times,
      reason: 'KubeletReady',
      message: 'the node agent is posting ready status',
    },
  ];
}

function goArch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

/** The distribution's name for people, from its os-release file. */
export function prettyName(release: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(release)?.[1] ?? '';
  return value.replace(/^(["'])(.*)\1$/, '$2') || 'Linux';
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
