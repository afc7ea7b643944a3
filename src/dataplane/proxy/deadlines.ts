/**
 * Timeouts by the thousand on one timer of the clock.
 *
 * Deadlines of the same length fall due in the order in which they were set, so each length has a list whose head is
 * the next: setting, moving and cancelling cost a few pointer moves, and the clock's timer is touched only when the
 * earliest deadline of all is not the one that it waits for. A timer that comes early finds nothing and waits on.
 */
import type { Clock, Timer } from '#base/clock.ts';

/** One timeout; the owner keeps the object and may set it again and again. */
export class Deadline {
  readonly expire: () => void;
  due = 0;
  list: DeadlineList | undefined;
  previous: Deadline | undefined;
  next: Deadline | undefined;

  constructor(expire: () => void) {
    this.expire = expire;
  }
}

class DeadlineList {
  readonly periodMs: number;
  first: Deadline | undefined;
  last: Deadline | undefined;

  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }
}

/** Lists that have become empty are kept for the next time, up to this many. */
const MAX_LISTS = 1_000;

export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #lists = new Map<number, DeadlineList>();
  #timer: Timer | undefined;
  #timerDue = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** (Re)starts `deadline`: it expires `periodMs` after `now` (monotonic), unless it is set again or cancelled. */
  set(deadline: Deadline, periodMs: number, now: number): void {
    if (deadline.list) unlink(deadline);
    const list = this.#listOf(periodMs);
    deadline.due = now + periodMs;
    deadline.list = list;
    deadline.previous = list.last;
    if (list.last) list.last.next = deadline;
    else list.first = deadline;
    list.last = deadline;
    if (deadline.due < this.#timerDue) this.#arm(deadline.due, now);
  }

  cancel(deadline: Deadline): void {
    if (deadline.list) unlink(deadline);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timerDue = Number.POSITIVE_INFINITY;
    this.#lists.clear();
  }

  #listOf(periodMs: number): DeadlineList {
    const known = this.#lists.get(periodMs);
    if (known) return known;
    if (this.#lists.size >= MAX_LISTS) this.#forgetEmptyLists();
    const list = new DeadlineList(periodMs);
    this.#lists.set(periodMs, list);
    return list;
  }

  #forgetEmptyLists(): void {
    for (const [period, list] of this.#lists) if (!list.first) this.#lists.delete(period);
  }

  #arm(due: number, now: number): void {
    this.#timer?.cancel();
    this.#timerDue = due;
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(due - now)), () => this.#fire(), { unref: true });
  }

  #fire(): void {
    const now = this.#clock.monotonicMs();
    this.#timerDue = Number.POSITIVE_INFINITY;
    for (const list of this.#lists.values()) {
      for (let head = list.first; head && head.due <= now; head = list.first) {
        unlink(head);
        head.expire();
      }
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (const list of this.#lists.values()) if (list.first) earliest = Math.min(earliest, list.first.due);
    if (earliest < this.#timerDue) this.#arm(earliest, this.#clock.monotonicMs());
  }
}

function unlink(deadline: Deadline): void {
  const { list, previous, next } = deadline;
  if (!list) return;
  if (previous) previous.next = next;
  else list.first = next;
  if (next) next.previous = previous;
  else list.last = previous;
  deadline.list = deadline.previous = deadline.next = undefined;
}
