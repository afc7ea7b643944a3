/**
 * Pods' networks made in advance.
 *
 *     made by the thread ─▶ ready ──lease──▶ leased ──release──▶ removed by the thread
 *                             └── nobody waits: kept      (never used again: a pod may have changed it)
 *
 * A lease takes a ready one in microseconds; with none ready it waits for the thread (about 2 ms each). Filling up
 * starts a little after the last lease, off the path of the start that took it. A lease is remembered in memory only:
 * after a restart the caller says which addresses its pods have, and everything else that lies in `DIR/run/netns` is
 * removed. Addresses are given out in turn, so one is not used again soon.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { Backoff } from '#base/backoff.ts';
import type { Clock, Timer } from '#base/clock.ts';
import { cidrSize } from '#base/ip.ts';
import type { Logger } from '#base/log.ts';
import { untilAborted } from '#base/abort.ts';
import { cidrOf } from '#runtime/network/bridge.ts';
import { NetworkThread } from '#runtime/network/network-thread.ts';
import { offsetOf, type PodNetwork, podNetworkAt, type PodNetworkSettings } from '#runtime/network/pod-network.ts';
import { hasCode } from '#sys/errors.ts';

/** How many networks lie ready. */
const READY_NETWORKS = 16;
/** How long after the last lease filling up begins. */
const REFILL_DELAY_MS = 50;
/** How many leases may wait at a time. */
const MAX_WAITING_LEASES = 1_024;
/** How many addresses are tried when those before are still held by what an earlier pod left. */
const MAX_ADDRESS_ATTEMPTS = 64;
/** The network's own address and the bridge's. */
const RESERVED_OFFSETS = 2;
const REFILL_BACKOFF = { baseMs: 100, maxMs: 10_000 };

class NoFreeAddressError extends Error {
  override readonly name = 'NoFreeAddressError';

  constructor(podCidr: string) {
    super(`no pod address is free in ${podCidr}`);
  }
}

class TooManyLeasesError extends Error {
  override readonly name = 'TooManyLeasesError';

  constructor() {
    super(`more than ${MAX_WAITING_LEASES} pods wait for a network`);
  }
}

export interface NetworkPoolOptions extends PodNetworkSettings {
  readonly clock: Clock;
  readonly log: Logger;
  /** How many to keep ready; `READY_NETWORKS` by default. */
  readonly ready?: number;
}

export class NetworkPool implements AsyncDisposable {
  readonly #options: NetworkPoolOptions;
  readonly #thread: NetworkThread;
  readonly #target: number;
  readonly #ready: PodNetwork[] = [];
  readonly #leased = new Map<string, PodNetwork>();
  readonly #waiting: PromiseWithResolvers<PodNetwork>[] = [];
  /** Offsets of addresses that are ready, leased, or being made or removed. */
  readonly #used = new Set<number>();
  readonly #backoff = new Backoff(REFILL_BACKOFF);
  #cursor = RESERVED_OFFSETS;
  #making = 0;
  #refill: Timer | undefined;
  #closed = false;

  constructor(options: NetworkPoolOptions) {
    this.#options = options;
    this.#target = options.ready ?? READY_NETWORKS;
    const { bridge, podCidr, serviceCidr, netnsDir } = options;
    this.#thread = new NetworkThread({ bridge, podCidr, serviceCidr, netnsDir }, options.clock);
    mkdirSync(netnsDir, { recursive: true, mode: 0o700 });
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** The leased network with this address. */
  find(address: string): PodNetwork | undefined {
    return this.#leased.get(address);
  }

  /**
   * Takes over what an earlier process made: the networks at `addresses` are leased to pods that live, all others are
   * removed. Answers the addresses whose network is gone (after a reboot: all). Call once, before the first lease.
   */
  async adopt(addresses: ReadonlySet<string>): Promise<string[]> {
    const found = readdirSync(this.#options.netnsDir).filter((name) => isIPv4(name));
    for (const address of addresses) this.#keep(this.#at(offsetOf(this.#options.podCidr, address)));
    const stale = found.filter((address) => !addresses.has(address)).map((address) => this.#reserve(address));
    await Promise.all(stale.map((pod) => this.#remove(pod)));
    const checked = await Promise.all([...this.#leased.values()].map((pod) => this.#reattach(pod)));
    this.#fill();
    return checked.filter((address) => address !== undefined);
  }

  /** The network of a new pod. Rejects when none can be made, or with the signal's reason. */
  async lease(signal: AbortSignal): Promise<PodNetwork> {
    signal.throwIfAborted();
    const ready = this.#ready.pop();
    if (ready) {
      this.#keep(ready);
      this.#scheduleFill();
      return ready;
    }
    if (this.#waiting.length >= MAX_WAITING_LEASES) throw new TooManyLeasesError();
    const waiter = Promise.withResolvers<PodNetwork>();
    this.#waiting.push(waiter);
    this.#fill();
    try {
      return await untilAborted(waiter.promise, signal);
    } catch (error) {
      this.#forgetWaiter(waiter);
      throw error;
    }
  }

  /** Ends a lease and removes the network; harmless when it ended already. Its processes must be gone. */
  async release(address: string): Promise<void> {
    const pod = this.#leased.get(address);
    this.#leased.delete(address);
    if (pod) await this.#remove(pod);
  }

  /** Ends the thread once it has finished. What is ready or leased stays, for the next process to adopt. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#refill?.cancel();
    await this.#thread[Symbol.asyncDispose]();
  }

  #at(offset: number): PodNetwork {
    return podNetworkAt(this.#options, offset);
  }

  #reserve(address: string): PodNetwork {
    const offset = offsetOf(this.#options.podCidr, address);
    this.#used.add(offset);
    return this.#at(offset);
  }

  #keep(pod: PodNetwork): void {
    this.#used.add(offsetOf(this.#options.podCidr, pod.address));
    this.#leased.set(pod.address, pod);
  }

  /** Undefined when the network is there and joined, else its address. */
  async #reattach(pod: PodNetwork): Promise<string | undefined> {
    if (await this.#thread.run('reattach', pod)) return undefined;
    await this.release(pod.address);
    return pod.address;
  }

  async #remove(pod: PodNetwork): Promise<void> {
    try {
      await this.#thread.run('remove', pod);
    } catch (error) {
      this.#options.log.warn('a pod’s network could not be removed', { address: pod.address, error });
    } finally {
      this.#used.delete(offsetOf(this.#options.podCidr, pod.address));
    }
  }

  #scheduleFill(): void {
    this.#refill?.cancel();
    if (this.#closed) return;
    this.#refill = this.#options.clock.after(REFILL_DELAY_MS, () => this.#fill(), { unref: true });
  }

  /** Has as many made as are waited for and missing. */
  #fill(): void {
    if (this.#closed) return;
    const wanted = this.#waiting.length + this.#target - this.#ready.length;
    while (this.#making < wanted) {
      this.#making += 1;
      void this.#makeOne();
    }
  }

  async #makeOne(): Promise<void> {
    try {
      const pod = await this.#make();
      this.#making -= 1;
      this.#backoff.forget('fill');
      this.#give(pod);
    } catch (error) {
      this.#making -= 1;
      this.#failed(error);
    }
  }

  /** Passes over addresses that something left by an earlier pod still holds; the kernel removes it in its own time. */
  async #make(): Promise<PodNetwork> {
    for (let attempt = 0; attempt < MAX_ADDRESS_ATTEMPTS; attempt += 1) {
      const offset = this.#nextOffset();
      if (offset === undefined) break;
      this.#used.add(offset);
      try {
        const pod = this.#at(offset);
        await this.#thread.run('make', pod);
        return pod;
      } catch (error) {
        this.#used.delete(offset);
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
    throw new NoFreeAddressError(this.#options.podCidr);
  }

  #nextOffset(): number | undefined {
    // The last address is the range's broadcast address.
    const end = cidrSize(cidrOf(this.#options.podCidr)) - 1;
    for (let step = RESERVED_OFFSETS; step < end; step += 1) {
      const offset = this.#cursor;
      this.#cursor = offset + 1 < end ? offset + 1 : RESERVED_OFFSETS;
      if (!this.#used.has(offset)) return offset;
    }
    return undefined;
  }

  #give(pod: PodNetwork): void {
    const waiter = this.#waiting.shift();
    if (!waiter) {
      this.#ready.unshift(pod);
      return;
    }
    this.#keep(pod);
    waiter.resolve(pod);
  }

  #failed(error: unknown): void {
    const waiter = this.#waiting.shift();
    waiter?.reject(error);
    // Several are made at a time and mostly fail together: the last one sets the time of the next attempt.
    if (waiter || this.#closed || this.#making > 0) return;
    const retryMs = this.#backoff.next('fill');
    this.#options.log.warn('no network could be made in advance', { retryMs, error });
    this.#refill?.cancel();
    this.#refill = this.#options.clock.after(retryMs, () => this.#fill(), { unref: true });
  }

  #forgetWaiter(waiter: PromiseWithResolvers<PodNetwork>): void {
    const index = this.#waiting.indexOf(waiter);
    if (index >= 0) this.#waiting.splice(index, 1);
    // Given and aborted at the same moment: the network has an owner that does not want it.
    else void waiter.promise.then((pod) => this.release(pod.address)).catch(() => undefined);
  }
}
