/**
 * After a thread's death: everything that it held is free again, and nothing that others hold is lost.
 *
 * Runs in the main thread, once per death, before the seat is given to a new thread. Steps that the dead thread left
 * half done are found by its marks: queue locks that carry its seat (the queue is linked anew from its tickets), and
 * its intent word. Counts are then recomputed from what seats and tickets hold, while the pod is closed for a moment.
 */
import type { Ledger } from '#dataplane/ledger/ledger.ts';
import {
  CLOSED,
  type LedgerLayout,
  MAIL_PER_SEAT,
  MAX_PODS,
  MAX_REVISIONS,
  POD_IN_FLIGHT,
  POD_LIMIT,
  REVISION_HEAD,
  REVISION_LENGTH,
  REVISION_LOCK,
  REVISION_TAIL,
  REVISION_TOLD,
  SEAT_INTENT,
  SEAT_RESCAN,
  SEAT_TICKETS,
  TICKET_FREE,
  TICKET_GRANTED,
  TICKET_NEXT,
  TICKET_POD,
  TICKET_PREVIOUS,
  TICKET_QUEUED,
  TICKET_REVISION,
  TICKET_SEQUENCE,
  TICKET_STATE,
} from '#dataplane/ledger/layout.ts';
import { lock, ownerOf, takeOver, unlock } from '#dataplane/ledger/lock.ts';

/** Frees what the dead `seat` held. The caller pumps the revisions afterwards. */
export function recoverSeat(main: Ledger, dead: number): void {
  const { layout } = main;
  repairQueues(layout, main.seat, dead);
  const pods = new Set<number>();
  dropTickets(layout, main.seat, dead, pods);
  dropHeld(layout, dead, pods);
  for (const pod of pods) settlePod(layout, pod);
  for (let seat = 0; seat < layout.seats; seat += 1) {
    if (seat === dead) continue;
    Atomics.store(layout.words, layout.seat(seat) + SEAT_RESCAN, 1);
    main.wake(seat);
  }
}

/** Queues whose lock the dead seat held. */
function repairQueues(layout: LedgerLayout, seat: number, dead: number): void {
  for (let revision = 0; revision < MAX_REVISIONS; revision += 1) {
    const at = layout.revision(revision) + REVISION_LOCK;
    if (ownerOf(layout.words, at) !== dead) continue;
    takeOver(layout.words, at, seat);
    relink(layout, revision);
    unlock(layout.words, at);
  }
}

/** Builds the list anew from the tickets that say they are in it; the lock is held. */
function relink(layout: LedgerLayout, revision: number): void {
  const { words } = layout;
  const queued: number[] = [];
  eachTicket(layout, (ticket, at) => {
    if (words[at + TICKET_STATE] === TICKET_QUEUED && words[at + TICKET_REVISION] === revision) queued.push(ticket);
  });
  const sequence = (ticket: number) => words[layout.ticket(ticket) + TICKET_SEQUENCE] as number;
  queued.sort((left, right) => (sequence(left) - sequence(right)) | 0);
  queued.forEach((ticket, index) => {
    const at = layout.ticket(ticket);
    words[at + TICKET_PREVIOUS] = queued[index - 1] ?? 0;
    words[at + TICKET_NEXT] = queued[index + 1] ?? 0;
  });
  const list = layout.revision(revision);
  words[list + REVISION_HEAD] = queued[0] ?? 0;
  words[list + REVISION_TAIL] = queued.at(-1) ?? 0;
  Atomics.store(words, list + REVISION_LENGTH, queued.length);
  Atomics.store(words, list + REVISION_TOLD, 0);
}

function dropTickets(layout: LedgerLayout, seat: number, dead: number, pods: Set<number>): void {
  const { words } = layout;
  for (const [revision, tickets] of ticketsByRevision(layout, dead)) {
    const lockAt = layout.revision(revision) + REVISION_LOCK;
    lock(words, lockAt, seat);
    for (const ticket of tickets) {
      const at = layout.ticket(ticket);
      if (words[at + TICKET_STATE] === TICKET_GRANTED) pods.add(words[at + TICKET_POD] as number);
      Atomics.store(words, at + TICKET_STATE, TICKET_FREE);
    }
    relink(layout, revision);
    unlock(words, lockAt);
  }
  Atomics.store(words, layout.seat(dead) + SEAT_TICKETS, 0);
  for (let index = 0; index < MAIL_PER_SEAT; index += 1) Atomics.store(words, layout.letter(dead, index), 0);
}

function ticketsByRevision(layout: LedgerLayout, seat: number): Map<number, number[]> {
  const { words } = layout;
  const found = new Map<number, number[]>();
  const used = Atomics.load(words, layout.seat(seat) + SEAT_TICKETS);
  for (let i = 0; i < used; i += 1) {
    const ticket = layout.firstTicket(seat) + i;
    const at = layout.ticket(ticket);
    if (Atomics.load(words, at + TICKET_STATE) === TICKET_FREE) continue;
    const revision = words[at + TICKET_REVISION] as number;
    found.set(revision, [...(found.get(revision) ?? []), ticket]);
  }
  return found;
}

function dropHeld(layout: LedgerLayout, dead: number, pods: Set<number>): void {
  const { words } = layout;
  for (let pod = 0; pod < MAX_PODS; pod += 1) {
    if (Atomics.exchange(words, layout.heldBy(dead, pod), 0) !== 0) pods.add(pod);
  }
  const intent = Atomics.exchange(words, layout.seat(dead) + SEAT_INTENT, 0);
  if (intent !== 0) pods.add(intent - 1);
}

/** A step takes microseconds; one that takes longer is another dead thread's, whose own recovery settles the pod. */
const MAX_NAPS = 200;
const NAP_MS = 1;

/** Makes the pod's count the sum of what is held, while no step on it is under way. */
function settlePod(layout: LedgerLayout, pod: number): void {
  const { words } = layout;
  const at = layout.pod(pod);
  const limit = Atomics.exchange(words, at + POD_LIMIT, CLOSED);
  for (let naps = 0; ;) {
    const before = Atomics.load(words, at + POD_IN_FLIGHT);
    if (isTouched(layout, pod) && naps < MAX_NAPS) {
      naps += 1;
      Atomics.wait(words, at + POD_IN_FLIGHT, before, NAP_MS);
      continue;
    }
    const sum = heldOn(layout, pod);
    if (Atomics.compareExchange(words, at + POD_IN_FLIGHT, before, sum) === before) break;
  }
  Atomics.store(words, at + POD_LIMIT, limit);
}

function isTouched(layout: LedgerLayout, pod: number): boolean {
  for (let seat = 0; seat < layout.seats; seat += 1) {
    if (Atomics.load(layout.words, layout.seat(seat) + SEAT_INTENT) === pod + 1) return true;
  }
  return false;
}

function heldOn(layout: LedgerLayout, pod: number): number {
  const { words } = layout;
  let sum = 0;
  for (let seat = 0; seat < layout.seats; seat += 1) sum += Atomics.load(words, layout.heldBy(seat, pod));
  eachTicket(layout, (_ticket, at) => {
    const isHolder = Atomics.load(words, at + TICKET_STATE) === TICKET_GRANTED;
    if (isHolder && Atomics.load(words, at + TICKET_POD) === pod) sum += 1;
  });
  return sum;
}

function eachTicket(layout: LedgerLayout, visit: (ticket: number, at: number) => void): void {
  for (let seat = 0; seat < layout.seats; seat += 1) {
    const used = Atomics.load(layout.words, layout.seat(seat) + SEAT_TICKETS);
    for (let i = 0; i < used; i += 1) {
      const ticket = layout.firstTicket(seat) + i;
      visit(ticket, layout.ticket(ticket));
    }
  }
}
