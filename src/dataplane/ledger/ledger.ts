/**
 * The ledger as one thread uses it.
 *
 * A request first tries `claim`: when nobody waits for the revision, the least loaded pod with room is taken by
 * compare-and-exchange. Otherwise it draws a ticket (`enqueue`) and is told by `onGrant`, in this thread, when its
 * turn has come. Whoever frees a slot (`release`), or adds one, pumps the queue. Queues are first-come first-served
 * across threads; a slot is never granted above its pod's limit.
 *
 * Every step on a pod is announced in the seat's intent word first, so that after a thread's death the main thread
 * can tell a count that is being changed from one that is wrong (`recovery.ts`).
 */
import {
  CLOSED,
  type LedgerLayout,
  MAIL_PER_SEAT,
  POD_IN_FLIGHT,
  POD_LIMIT,
  REVISION_HEAD,
  REVISION_LENGTH,
  REVISION_LIMIT,
  REVISION_LOCK,
  REVISION_SEQUENCE,
  REVISION_TAIL,
  REVISION_TOLD,
  SEAT_INTENT,
  SEAT_MAIL_TAIL,
  SEAT_RESCAN,
  SEAT_TICKETS,
  SEAT_WAKE,
  TICKET_FREE,
  TICKET_GRANTED,
  TICKET_NEXT,
  TICKET_POD,
  TICKET_PREVIOUS,
  TICKET_QUEUED,
  TICKET_REVISION,
  TICKET_SEQUENCE,
  TICKET_STATE,
  TICKETS_PER_SEAT,
} from '#dataplane/ledger/layout.ts';
import { lock, unlock } from '#dataplane/ledger/lock.ts';

/** No pod has room, or others wait already. */
export const NO_SLOT = -1;
/** The queue, or this thread's tickets, are at their limit. */
export const QUEUE_FULL = 0;

/** A slot of a pod: claimed directly (ticket 0), or held by a granted ticket. */
export interface Slot {
  readonly pod: number;
  readonly ticket: number;
}

export class Ledger {
  readonly layout: LedgerLayout;
  readonly seat: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #seatAt: number;
  readonly #waiting = new Map<number, (slot: Slot) => void>();
  readonly #freeTickets: number[] = [];
  #mailHead = 0;
  #turn = 0;
  #listening = true;

  constructor(layout: LedgerLayout, seat: number) {
    this.layout = layout;
    this.seat = seat;
    this.#words = layout.words;
    this.#seatAt = layout.seat(seat);
    this.#mailHead = Atomics.load(this.#words, this.#seatAt + SEAT_MAIL_TAIL);
  }

  // ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────

  inFlight(pod: number): number {
    return Atomics.load(this.#words, this.layout.pod(pod) + POD_IN_FLIGHT);
  }

  limit(pod: number): number {
    return Atomics.load(this.#words, this.layout.pod(pod) + POD_LIMIT);
  }

  queued(revision: number): number {
    return Atomics.load(this.#words, this.layout.revision(revision) + REVISION_LENGTH);
  }

  /** Whether control should hear of the queue: somebody waits for the first time, or twice as many as it was told. */
  isNews(revision: number): boolean {
    const at = this.layout.revision(revision) + REVISION_TOLD;
    const told = Atomics.load(this.#words, at);
    const queued = this.queued(revision);
    if (queued < Math.max(1, 2 * told)) return false;
    return Atomics.compareExchange(this.#words, at, told, queued) === told;
  }

  /** What control is told now; the answer is how many wait. */
  tell(revision: number): number {
    const queued = this.queued(revision);
    Atomics.store(this.#words, this.layout.revision(revision) + REVISION_TOLD, queued);
    return queued;
  }

  /** The next number of a split counter: 0, 1, 2 … over all threads. */
  nextOf(split: number): number {
    return Atomics.add(this.#words, this.layout.splits + split, 1) >>> 0;
  }

  // ── claiming and releasing ───────────────────────────────────────────────────────────────────────────────────

  /** A slot on the least loaded of `pods`, or NO_SLOT. */
  claim(revision: number, pods: readonly number[]): number {
    if (this.queued(revision) > 0) return NO_SLOT;
    return this.claimAny(pods);
  }

  /** As `claim`, whoever waits: for what has no queue. */
  claimAny(pods: readonly number[]): number {
    for (;;) {
      const pod = this.#leastLoaded(pods);
      if (pod === NO_SLOT) return NO_SLOT;
      if (this.#take(pod)) {
        Atomics.add(this.#words, this.layout.heldBy(this.seat, pod), 1);
        this.#endStep();
        return pod;
      }
      this.#endStep();
    }
  }

  release(revision: number, slot: Slot, pods: readonly number[]): void {
    this.#free(slot);
    if (revision >= 0 && this.queued(revision) > 0) this.pump(revision, pods);
  }

  #free({ pod, ticket }: Slot): void {
    Atomics.store(this.#words, this.#seatAt + SEAT_INTENT, pod + 1);
    Atomics.sub(this.#words, this.layout.pod(pod) + POD_IN_FLIGHT, 1);
    if (ticket === 0) Atomics.sub(this.#words, this.layout.heldBy(this.seat, pod), 1);
    else this.#freeTicket(ticket);
    this.#endStep();
  }

  #leastLoaded(pods: readonly number[]): number {
    let best = NO_SLOT;
    let bestCount = Number.MAX_SAFE_INTEGER;
    const count = pods.length;
    this.#turn = this.#turn + 1 >= count ? 0 : this.#turn + 1;
    for (let i = 0; i < count; i += 1) {
      const pod = pods[(this.#turn + i) % count] as number;
      const at = this.layout.pod(pod);
      const inFlight = Atomics.load(this.#words, at + POD_IN_FLIGHT);
      if (inFlight >= bestCount || inFlight >= Atomics.load(this.#words, at + POD_LIMIT)) continue;
      if (inFlight === 0) return pod;
      best = pod;
      bestCount = inFlight;
    }
    return best;
  }

  /** Counts one more on `pod` unless it is full; leaves the step open. */
  #take(pod: number): boolean {
    Atomics.store(this.#words, this.#seatAt + SEAT_INTENT, pod + 1);
    const at = this.layout.pod(pod);
    const limit = Atomics.load(this.#words, at + POD_LIMIT);
    if (limit === CLOSED) return false;
    for (;;) {
      const count = Atomics.load(this.#words, at + POD_IN_FLIGHT);
      if (count >= limit) return false;
      if (Atomics.compareExchange(this.#words, at + POD_IN_FLIGHT, count, count + 1) === count) return true;
    }
  }

  #endStep(): void {
    Atomics.store(this.#words, this.#seatAt + SEAT_INTENT, 0);
  }

  // ── waiting ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Draws a ticket; `onGrant` is called when its turn has come, possibly before this returns. Answers the ticket, or
   * QUEUE_FULL.
   */
  enqueue(revision: number, pods: readonly number[], onGrant: (slot: Slot) => void): number {
    const ticket = this.#newTicket();
    if (ticket === QUEUE_FULL) return QUEUE_FULL;
    const words = this.#words;
    const at = this.layout.revision(revision);
    lock(words, at + REVISION_LOCK, this.seat);
    const isFull = (words[at + REVISION_LENGTH] as number) >= (words[at + REVISION_LIMIT] as number);
    if (!isFull) this.#link(ticket, revision);
    unlock(words, at + REVISION_LOCK);
    if (isFull) {
      this.#freeTicket(ticket);
      return QUEUE_FULL;
    }
    this.#waiting.set(ticket, onGrant);
    this.pump(revision, pods);
    return ticket;
  }

  /** Gives a ticket back before its turn has come. */
  cancel(revision: number, ticket: number, pods: readonly number[]): void {
    this.#waiting.delete(ticket);
    const words = this.#words;
    const lockAt = this.layout.revision(revision) + REVISION_LOCK;
    const at = this.layout.ticket(ticket);
    lock(words, lockAt, this.seat);
    const isQueued = words[at + TICKET_STATE] === TICKET_QUEUED;
    if (isQueued) {
      this.#unlink(ticket, revision);
      Atomics.store(words, at + TICKET_STATE, TICKET_FREE);
    }
    unlock(words, lockAt);
    if (isQueued) this.#freeTickets.push(ticket);
    else this.release(revision, { pod: Atomics.load(words, at + TICKET_POD), ticket }, pods);
  }

  /** Hands free slots of `pods` to those who wait, in order. */
  pump(revision: number, pods: readonly number[]): void {
    if (pods.length === 0) return;
    const words = this.#words;
    const at = this.layout.revision(revision);
    const mine: number[] = [];
    let others = 0;
    lock(words, at + REVISION_LOCK, this.seat);
    while ((words[at + REVISION_LENGTH] as number) > 0) {
      const pod = this.#leastLoaded(pods);
      if (pod === NO_SLOT) break;
      if (this.#take(pod)) {
        const ticket = words[at + REVISION_HEAD] as number;
        this.#unlink(ticket, revision);
        if (this.#grant(ticket, pod)) mine.push(ticket);
        else others |= 1 << this.layout.seatOf(ticket);
      }
      this.#endStep();
    }
    unlock(words, at + REVISION_LOCK);
    this.#wake(others);
    for (const ticket of mine) this.#deliver(ticket);
  }

  /** Commits a taken slot to a ticket; true when the ticket is this seat's own. */
  #grant(ticket: number, pod: number): boolean {
    const words = this.#words;
    const at = this.layout.ticket(ticket);
    Atomics.store(words, at + TICKET_POD, pod);
    Atomics.store(words, at + TICKET_STATE, TICKET_GRANTED);
    const seat = this.layout.seatOf(ticket);
    if (seat === this.seat) return true;
    const index = Atomics.add(words, this.layout.seat(seat) + SEAT_MAIL_TAIL, 1);
    Atomics.store(words, this.layout.letter(seat, index), this.layout.addressed(index, ticket));
    return false;
  }

  /** Wakes the seats of a bit set. */
  #wake(seats: number): void {
    for (let seat = 0; seat < this.layout.seats; seat += 1) {
      if ((seats & (1 << seat)) !== 0) this.wake(seat);
    }
  }

  wake(seat: number): void {
    const at = this.layout.seat(seat) + SEAT_WAKE;
    Atomics.add(this.#words, at, 1);
    Atomics.notify(this.#words, at);
  }

  #deliver(ticket: number): void {
    const onGrant = this.#waiting.get(ticket);
    const at = this.layout.ticket(ticket);
    if (!onGrant || Atomics.load(this.#words, at + TICKET_STATE) !== TICKET_GRANTED) return;
    this.#waiting.delete(ticket);
    onGrant({ pod: Atomics.load(this.#words, at + TICKET_POD), ticket });
  }

  // ── letters from other threads ───────────────────────────────────────────────────────────────────────────────

  /** Delivers grants of other threads as they come, until `stop`. */
  async listen(): Promise<void> {
    const at = this.#seatAt + SEAT_WAKE;
    while (this.#listening) {
      const seen = Atomics.load(this.#words, at);
      this.readMail();
      const { async: isAsync, value } = Atomics.waitAsync(this.#words, at, seen);
      if (isAsync) await value;
    }
  }

  stop(): void {
    this.#listening = false;
    this.wake(this.seat);
  }

  readMail(): void {
    if (Atomics.exchange(this.#words, this.#seatAt + SEAT_RESCAN, 0) !== 0) return this.#lookThroughTickets();
    for (;;) {
      const tail = Atomics.load(this.#words, this.#seatAt + SEAT_MAIL_TAIL);
      const unread = (tail - this.#mailHead) | 0;
      if (unread === 0) return undefined;
      if (unread > MAIL_PER_SEAT) return this.#lookThroughTickets();
      const letter = Atomics.load(this.#words, this.layout.letter(this.seat, this.#mailHead));
      const ticket = this.layout.readLetter(this.#mailHead, letter);
      // Its writer is between two steps, and will wake us.
      if (ticket === 0) return undefined;
      this.#mailHead = (this.#mailHead + 1) | 0;
      this.#deliver(ticket);
    }
  }

  #lookThroughTickets(): void {
    this.#mailHead = Atomics.load(this.#words, this.#seatAt + SEAT_MAIL_TAIL);
    for (const ticket of this.#waiting.keys()) this.#deliver(ticket);
  }

  // ── tickets ──────────────────────────────────────────────────────────────────────────────────────────────────

  #newTicket(): number {
    const free = this.#freeTickets.pop();
    if (free !== undefined) return free;
    const used = Atomics.load(this.#words, this.#seatAt + SEAT_TICKETS);
    if (used >= TICKETS_PER_SEAT) return QUEUE_FULL;
    Atomics.store(this.#words, this.#seatAt + SEAT_TICKETS, used + 1);
    return this.layout.firstTicket(this.seat) + used;
  }

  #freeTicket(ticket: number): void {
    Atomics.store(this.#words, this.layout.ticket(ticket) + TICKET_STATE, TICKET_FREE);
    this.#freeTickets.push(ticket);
  }

  /** Appends to the queue; the lock is held. */
  #link(ticket: number, revision: number): void {
    const words = this.#words;
    const at = this.layout.ticket(ticket);
    const list = this.layout.revision(revision);
    const tail = words[list + REVISION_TAIL] as number;
    words[at + TICKET_NEXT] = 0;
    words[at + TICKET_PREVIOUS] = tail;
    words[at + TICKET_REVISION] = revision;
    words[at + TICKET_SEQUENCE] = Atomics.add(words, list + REVISION_SEQUENCE, 1);
    Atomics.store(words, at + TICKET_STATE, TICKET_QUEUED);
    if (tail === 0) words[list + REVISION_HEAD] = ticket;
    else words[this.layout.ticket(tail) + TICKET_NEXT] = ticket;
    words[list + REVISION_TAIL] = ticket;
    Atomics.add(words, list + REVISION_LENGTH, 1);
  }

  #unlink(ticket: number, revision: number): void {
    const words = this.#words;
    const at = this.layout.ticket(ticket);
    const list = this.layout.revision(revision);
    const next = words[at + TICKET_NEXT] as number;
    const previous = words[at + TICKET_PREVIOUS] as number;
    if (previous === 0) words[list + REVISION_HEAD] = next;
    else words[this.layout.ticket(previous) + TICKET_NEXT] = next;
    if (next === 0) words[list + REVISION_TAIL] = previous;
    else words[this.layout.ticket(next) + TICKET_PREVIOUS] = previous;
    const left = Atomics.sub(words, list + REVISION_LENGTH, 1) - 1;
    // The next to wait is news again.
    if (left === 0) Atomics.store(words, list + REVISION_TOLD, 0);
  }
}
