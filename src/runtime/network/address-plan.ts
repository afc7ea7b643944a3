/**
 * The names and address ranges of one platform, derived from its state directory.
 *
 * The directory's hash picks a block of addresses; blocks that the machine already routes are passed over, so two
 * platforms, a VPN or Docker never share an address with it. Whoever calls keeps the plan: ranges must not change
 * while pods use them. A plan kept from earlier is followed as long as nobody else has taken its ranges.
 */
import { createHash } from 'node:crypto';
import { type Cidr, cidrSize, cidrsOverlap, formatCidr, parseCidr } from '#base/ip.ts';

export interface NetworkPlan {
  /** First 8 hex digits of a hash over the state directory. */
  readonly instance: string;
  readonly bridge: string;
  /** Below each control group hierarchy's root. */
  readonly cgroup: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

export interface PlanInput {
  /** Absolute and without links, since another spelling is another platform. */
  readonly stateDir: string;
  /** What the machine routes for anybody but this platform. */
  readonly taken: readonly Cidr[];
  /** The ranges used so far. */
  readonly kept?: Pick<NetworkPlan, 'podCidr' | 'serviceCidr'>;
}

/** A /20 for pods (4,093 of them) and a /20 for Services, side by side. */
const BLOCK_PREFIX = 19;
const RANGE_PREFIX = 20;

/**
 * Where blocks are looked for, in this order: private ranges, then those set aside for carriers and for benchmarks,
 * for machines whose VPN routes all of 10.0.0.0/8.
 */
const POOLS = ['10.128.0.0/9', '172.16.0.0/12', '100.64.0.0/10', '198.18.0.0/15', '192.168.0.0/16'].map(range);

/** In common use by tools that make their routes only when they start: kind and flannel, Docker, libvirt. */
const AVOIDED = ['10.244.0.0/16', '172.17.0.0/16', '172.18.0.0/16', '192.168.122.0/24'].map(range);

export class NoFreeRangeError extends Error {
  override readonly name = 'NoFreeRangeError';

  constructor() {
    super('no private address range is free for pods and Services: the routes of this machine cover all of them');
  }
}

export function planNetwork({ stateDir, taken, kept }: PlanInput): NetworkPlan {
  const hash = createHash('sha256').update(stateDir).digest();
  const instance = hash.toString('hex').slice(0, 8);
  const names = { instance, bridge: `pn${instance}`, cgroup: `pinnace-${instance}` };
  if (kept && isFree(parseCidr(kept.podCidr), taken) && isFree(parseCidr(kept.serviceCidr), taken)) {
    return { ...names, podCidr: kept.podCidr, serviceCidr: kept.serviceCidr };
  }
  const block = findBlock(hash.readUInt32BE(8), [...taken, ...AVOIDED]);
  const pods = { base: block.base, prefix: RANGE_PREFIX };
  const services = { base: block.base + cidrSize(pods), prefix: RANGE_PREFIX };
  return { ...names, podCidr: formatCidr(pods), serviceCidr: formatCidr(services) };
}

function findBlock(start: number, taken: readonly Cidr[]): Cidr {
  for (const pool of POOLS) {
    const count = 2 ** (BLOCK_PREFIX - pool.prefix);
    for (let step = 0; step < count; step += 1) {
      const base = pool.base + ((start + step) % count) * 2 ** (32 - BLOCK_PREFIX);
      const block = { base, prefix: BLOCK_PREFIX };
      if (isFree(block, taken)) return block;
    }
  }
  throw new NoFreeRangeError();
}

function isFree(cidr: Cidr | undefined, taken: readonly Cidr[]): boolean {
  return cidr !== undefined && taken.every((other) => !cidrsOverlap(cidr, other));
}

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new TypeError(`not a range: ${text}`);
  return cidr;
}
