/**
 * After a crash nobody knows what the dead gateway's requests still do in the applications: a pod with a limit counts
 * as full until it is seen idle, so that `containerConcurrency` is never exceeded.
 *
 * Idle is: no open connection to its port, as its own network namespace tells. (The dead gateway's connections are
 * half closed at that time; an application that still works on a request keeps its half.) Where nobody can tell, the
 * longest time that a request may take before its first byte must pass.
 */
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { LedgerDirectory } from '#dataplane/ledger/directory.ts';
import type { TargetEndpoint, TargetRevision } from '#protocol/routing.ts';

const FIRST_LOOK_MS = 20;
const LOOK_EVERY_MS = 100;

/** Open connections to the pod's port, or undefined when that cannot be found out. */
export type ConnectionCount = (endpoint: TargetEndpoint) => number | undefined;

export interface UnknownLoadOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly directory: LedgerDirectory;
  readonly connections: ConnectionCount;
}

interface Suspect {
  readonly endpoint: TargetEndpoint;
  readonly until: number;
}

export class UnknownLoad implements Disposable {
  readonly #options: UnknownLoadOptions;
  readonly #suspects = new Map<string, Suspect>();
  readonly #seen = new Set<string>();
  #timer: Timer | undefined;

  constructor(options: UnknownLoadOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#suspects.size;
  }

  /** Takes all limited pods that are known now, and were not before, as full. */
  begin(): void {
    const { clock, directory } = this.#options;
    for (const { target } of directory.placedTargets) {
      const { revision } = target;
      if (!revision || revision.containerConcurrency === 0) continue;
      for (const endpoint of target.endpoints) {
        if (this.#seen.has(endpoint.id)) continue;
        this.#seen.add(endpoint.id);
        this.#suspects.set(endpoint.id, { endpoint, until: clock.monotonicMs() + longestMs(revision) });
        directory.occupy(endpoint.id, revision.containerConcurrency);
      }
    }
    if (this.#suspects.size > 0) this.#timer ??= clock.after(FIRST_LOOK_MS, () => this.#look());
  }

  #look(): void {
    const { clock, directory, log } = this.#options;
    let freed = 0;
    for (const [id, suspect] of this.#suspects) {
      if (!this.#isIdle(suspect)) continue;
      this.#suspects.delete(id);
      directory.vacate(id);
      freed += 1;
    }
    if (freed > 0) {
      log.info('pods are idle after a restart', { freed, left: this.#suspects.size });
      directory.pumpAll();
    }
    this.#timer = this.#suspects.size > 0 ? clock.after(LOOK_EVERY_MS, () => this.#look()) : undefined;
  }

  #isIdle({ endpoint, until }: Suspect): boolean {
    if (this.#options.directory.slotOfPod(endpoint.id) < 0) return true;
    const count = this.#options.connections(endpoint);
    return count === 0 || (count === undefined && this.#options.clock.monotonicMs() >= until);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }
}

function longestMs({ timeoutMs, responseStartTimeoutMs, idleTimeoutMs }: TargetRevision): number {
  return Math.max(timeoutMs, responseStartTimeoutMs, idleTimeoutMs);
}
