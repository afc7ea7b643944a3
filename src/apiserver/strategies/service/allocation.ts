/**
 * Addresses of Services and ports of the node, given out from a range. What the store holds is taken; what a write
 * under way was given is taken until the write is decided.
 */
import { assert } from '#base/assert.ts';
import type { Clock } from '#base/clock.ts';
import { type Cidr, cidrAddress, cidrContains, cidrSize, parseCidr } from '#base/ip.ts';
import { isIPv4 } from 'node:net';
import type { Service } from '#kube/kinds/core/service.ts';
import type { ServicePort } from '#kube/kinds/core/service-spec.ts';
import { keyOf, type ObjectKey } from '#kube/object.ts';
import type { Store } from '#store/store.ts';

const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;
export const NODE_PORT_RANGE = `${FIRST_NODE_PORT}-${LAST_NODE_PORT}`;

/** Addresses at the start of the range that are only given out when somebody asks for one. */
const RESERVED_ADDRESSES = 16;

export type Claim = 'taken' | 'outside' | 'claimed';

/** One range of things that each have at most one owner. */
class Pool<T> {
  readonly #owners = new Map<T, ObjectKey>();
  readonly #inFlight = new Map<T, number>();

  isFree(item: T, owner: ObjectKey): boolean {
    const holder = this.#owners.get(item);
    return (holder === undefined || holder === owner) && !this.#inFlight.has(item);
  }

  hold(item: T): void {
    this.#inFlight.set(item, (this.#inFlight.get(item) ?? 0) + 1);
  }

  release(item: T): void {
    const count = (this.#inFlight.get(item) ?? 0) - 1;
    if (count > 0) this.#inFlight.set(item, count);
    else this.#inFlight.delete(item);
  }

  settle(owner: ObjectKey, before: readonly T[], after: readonly T[]): void {
    for (const item of before) if (this.#owners.get(item) === owner) this.#owners.delete(item);
    for (const item of after) this.#owners.set(item, owner);
  }
}

export class ServiceAllocator {
  readonly #range: Cidr;
  readonly #clock: Clock;
  readonly #addresses = new Pool<string>();
  readonly #nodePorts = new Pool<string>();

  constructor({ store, clock, cidr }: { store: Store; clock: Clock; cidr: string }) {
    const range = parseCidr(cidr);
    assert(range, `not an IPv4 range: ${cidr}`);
    this.#range = range;
    this.#clock = clock;
    const snapshot = store.list('services');
    for (const service of snapshot.objects) this.#settle(undefined, service as Service);
    store.watch('services', snapshot.revision, ({ type, object, previous }) => {
      this.#settle(previous as Service | undefined, type === 'deleted' ? undefined : (object as Service));
    });
  }

  /** An address that was asked for. */
  claimAddress(address: string, owner: ObjectKey, held: Held): Claim {
    if (!isIPv4(address) || !cidrContains(this.#range, address)) return 'outside';
    if (!this.#addresses.isFree(address, owner)) return 'taken';
    held.addresses.push(address);
    this.#addresses.hold(address);
    return 'claimed';
  }

  /** Any address; undefined when none is left. */
  anyAddress(owner: ObjectKey, held: Held): string | undefined {
    const size = cidrSize(this.#range);
    const first = Math.min(RESERVED_ADDRESSES, Math.floor(size / 2));
    const count = size - 1 - first;
    const start = Math.floor(this.#clock.random() * count);
    for (let step = 0; step < count; step += 1) {
      const address = cidrAddress(this.#range, first + ((start + step) % count));
      if (this.claimAddress(address, owner, held) === 'claimed') return address;
    }
    return undefined;
  }

  /** A port that was asked for; `anywhere` also outside the range. */
  claimNodePort(port: number, { owner, held, protocol, range }: PortClaim): Claim {
    if (range === 'node-ports' && (port < FIRST_NODE_PORT || port > LAST_NODE_PORT)) return 'outside';
    const item = `${protocol}/${port}`;
    if (!this.#nodePorts.isFree(item, owner)) return 'taken';
    held.nodePorts.push(item);
    this.#nodePorts.hold(item);
    return 'claimed';
  }

  anyNodePort(owner: ObjectKey, protocol: string, held: Held): number | undefined {
    const count = LAST_NODE_PORT - FIRST_NODE_PORT + 1;
    const start = Math.floor(this.#clock.random() * count);
    for (let step = 0; step < count; step += 1) {
      const port = FIRST_NODE_PORT + ((start + step) % count);
      if (this.claimNodePort(port, { owner, held, protocol, range: 'node-ports' }) === 'claimed') return port;
    }
    return undefined;
  }

  /** The write is decided: what was stored is known from the store by now. */
  release({ addresses, nodePorts }: Held): void {
    for (const address of addresses) this.#addresses.release(address);
    for (const port of nodePorts) this.#nodePorts.release(port);
  }

  #settle(before: Service | undefined, after: Service | undefined): void {
    const service = after ?? before;
    if (!service) return;
    const owner = keyOf(service);
    this.#addresses.settle(owner, addressesOf(before), addressesOf(after));
    this.#nodePorts.settle(owner, nodePortsOf(before), nodePortsOf(after));
  }
}

interface PortClaim {
  readonly owner: ObjectKey;
  readonly held: Held;
  readonly protocol: string;
  readonly range: 'node-ports' | 'anywhere';
}

/** What one write under way was given. */
export interface Held {
  readonly addresses: string[];
  readonly nodePorts: string[];
}

function addressesOf(service: Service | undefined): string[] {
  return (service?.spec.clusterIPs ?? []).filter((address) => address !== 'None');
}

function nodePortsOf(service: Service | undefined): string[] {
  const ports: readonly ServicePort[] = service?.spec.ports ?? [];
  return ports.flatMap(({ nodePort, protocol }) => (nodePort ? [`${protocol}/${nodePort}`] : []));
}
