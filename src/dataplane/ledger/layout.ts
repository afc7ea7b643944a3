/**
 * The words of the ledger. Slots, tickets and seats are numbered; ticket 0 and pod -1 mean none. What different
 * threads write often lies on lines of its own. The memory is reserved whole and touched as it is used.
 */
export const MAX_PODS = 8_192;
export const MAX_REVISIONS = 4_096;
export const MAX_SPLITS = 32_768;
/** Requests of one thread that wait, or run on a slot that they waited for. */
export const TICKETS_PER_SEAT = 16_384;
/** Letters that may lie unread in front of a seat; more, and it looks through its tickets instead. */
export const MAIL_PER_SEAT = 2 * TICKETS_PER_SEAT;

/** No limit: the count is kept for choosing the least loaded pod and for reports. */
export const UNLIMITED = 0x7fffffff;
/** No new request may claim a slot. */
export const CLOSED = 0;

const LINE = 16;
const POD_WORDS = LINE;
export const POD_IN_FLIGHT = 0;
export const POD_LIMIT = 1;

const REVISION_WORDS = LINE;
export const REVISION_LOCK = 0;
export const REVISION_HEAD = 1;
export const REVISION_TAIL = 2;
export const REVISION_LENGTH = 3;
export const REVISION_LIMIT = 4;
export const REVISION_SEQUENCE = 5;
/** How many waited when control was told last. */
export const REVISION_TOLD = 6;

const SEAT_WORDS = LINE;
/** The pod on which this seat is in the midst of a step, plus one. */
export const SEAT_INTENT = 0;
/** Counts calls for attention. */
export const SEAT_WAKE = 1;
export const SEAT_MAIL_TAIL = 2;
/** Set after a death: letters may be missing. */
export const SEAT_RESCAN = 3;
/** Tickets of this seat that were ever used. */
export const SEAT_TICKETS = 4;

const TICKET_WORDS = 8;
export const TICKET_NEXT = 0;
export const TICKET_PREVIOUS = 1;
export const TICKET_STATE = 2;
export const TICKET_POD = 3;
export const TICKET_REVISION = 4;
export const TICKET_SEQUENCE = 5;

export const TICKET_FREE = 0;
export const TICKET_QUEUED = 1;
/** Holds a slot of its pod until it is freed. */
export const TICKET_GRANTED = 2;

export class LedgerLayout {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly seats: number;
  readonly pods: number;
  readonly revisions: number;
  readonly splits: number;
  readonly seatWords: number;
  readonly held: number;
  readonly mail: number;
  readonly tickets: number;

  constructor(memory: SharedArrayBuffer, seats: number) {
    this.words = new Int32Array(memory);
    this.seats = seats;
    const offsets = offsetsFor(seats);
    this.pods = offsets.pods;
    this.revisions = offsets.revisions;
    this.splits = offsets.splits;
    this.seatWords = offsets.seatWords;
    this.held = offsets.held;
    this.mail = offsets.mail;
    this.tickets = offsets.tickets;
  }

  pod(pod: number): number {
    return this.pods + pod * POD_WORDS;
  }

  revision(revision: number): number {
    return this.revisions + revision * REVISION_WORDS;
  }

  seat(seat: number): number {
    return this.seatWords + seat * SEAT_WORDS;
  }

  /** How many slots of `pod` the seat holds without a ticket. */
  heldBy(seat: number, pod: number): number {
    return this.held + seat * MAX_PODS + pod;
  }

  ticket(ticket: number): number {
    return this.tickets + ticket * TICKET_WORDS;
  }

  letter(seat: number, index: number): number {
    return this.mail + seat * MAIL_PER_SEAT + ((index >>> 0) % MAIL_PER_SEAT);
  }

  /** A letter carries the lap of its place, so that an old one is not taken for one that is still being written. */
  addressed(index: number, ticket: number): number {
    return (lapOf(index) << TICKET_BITS) | ticket;
  }

  /** The ticket in a letter, or 0 when it is of another lap. */
  readLetter(index: number, letter: number): number {
    return letter >>> TICKET_BITS === lapOf(index) ? letter & ((1 << TICKET_BITS) - 1) : 0;
  }

  firstTicket(seat: number): number {
    return seat * TICKETS_PER_SEAT + 1;
  }

  seatOf(ticket: number): number {
    return Math.floor((ticket - 1) / TICKETS_PER_SEAT);
  }
}

const TICKET_BITS = 20;
const LAP_MASK = 0x3ff;

/** Which time round the ring a letter's index is, from 1 on. */
function lapOf(index: number): number {
  return (Math.floor((index >>> 0) / MAIL_PER_SEAT) & LAP_MASK) + 1;
}

/** Memory for `seats` threads, the main one included. */
export function createLedgerMemory(seats: number): SharedArrayBuffer {
  return new SharedArrayBuffer(offsetsFor(seats).end * Int32Array.BYTES_PER_ELEMENT);
}

function offsetsFor(seats: number) {
  const pods = 0;
  const revisions = pods + MAX_PODS * POD_WORDS;
  const splits = revisions + MAX_REVISIONS * REVISION_WORDS;
  const seatWords = splits + MAX_SPLITS;
  const held = seatWords + seats * SEAT_WORDS;
  const mail = held + seats * MAX_PODS;
  const tickets = mail + seats * MAIL_PER_SEAT;
  const end = tickets + (seats * TICKETS_PER_SEAT + 1) * TICKET_WORDS;
  return { pods, revisions, splits, seatWords, held, mail, tickets, end };
}
