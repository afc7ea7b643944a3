/**
 * One request's slot: claimed at once, or waited for with a ticket, given back exactly once. Revisions queue; plain
 * Services (no Revision behind them) do not, they have a pod or they have none.
 */
import type { Revision } from '#dataplane/gateway/backends.ts';
import { type Ledger, NO_SLOT, QUEUE_FULL, type Slot } from '#dataplane/ledger/ledger.ts';

export type Acquired = 'granted' | 'waiting' | 'full' | 'none';

export class SlotHolder {
  readonly #ledger: Ledger;
  readonly #revision: Revision | undefined;
  #slot: Slot | undefined;
  #ticket = 0;

  constructor(ledger: Ledger, revision: Revision | undefined) {
    this.#ledger = ledger;
    this.#revision = revision;
  }

  /** Slot of the pod that this request counts on, or NO_SLOT. */
  get pod(): number {
    return this.#slot?.pod ?? NO_SLOT;
  }

  /** Takes a slot without waiting; `pods`: of a Service without a revision. */
  claim(pods: readonly number[]): boolean {
    const revision = this.#queue;
    const pod = revision ? this.#ledger.claim(revision.slot, revision.pods) : this.#ledger.claimAny(pods);
    if (pod === NO_SLOT) return false;
    this.#slot = { pod, ticket: 0 };
    return true;
  }

  /** Draws a ticket; `onGrant` comes later, unless the answer is `granted` already. */
  wait(onGrant: () => void): Acquired {
    const revision = this.#queue;
    if (!revision) return 'none';
    let isLater = false;
    const ticket = this.#ledger.enqueue(revision.slot, revision.pods, (slot) => {
      this.#ticket = 0;
      this.#slot = slot;
      if (isLater) onGrant();
    });
    if (ticket === QUEUE_FULL) return 'full';
    if (this.#slot) return 'granted';
    isLater = true;
    this.#ticket = ticket;
    return 'waiting';
  }

  /** Exchanges the slot for one on a pod of `others`; false when none has room. */
  move(others: readonly number[]): boolean {
    const pod = this.#ledger.claimAny(others);
    if (pod === NO_SLOT) return false;
    this.release();
    this.#slot = { pod, ticket: 0 };
    return true;
  }

  /** Gives back the slot, or the ticket. */
  release(): void {
    const { slot = NO_SLOT, pods = [] } = this.#revision ?? {};
    const held = this.#slot;
    const ticket = this.#ticket;
    this.#slot = undefined;
    this.#ticket = 0;
    if (ticket !== 0) this.#ledger.cancel(slot, ticket, pods);
    if (held) this.#ledger.release(slot, held, pods);
  }

  /** The revision, when it has a queue in the ledger. */
  get #queue(): Revision | undefined {
    return this.#revision && this.#revision.slot >= 0 ? this.#revision : undefined;
  }
}
