/**
 * The revision counter: one for all objects, strictly growing, never repeated across crashes.
 *
 * Publication follows the order of revisions, yet a derived write must not wait for the disk. So a durable batch, when
 * it is sent to the log, takes its revisions beyond a gap; derived writes that happen while it is in flight are given
 * the numbers inside the gap and are published first. Revisions have holes; nobody may mind.
 *
 *     published … 41 │ derived: 42 43 …        │ batch in flight: 1042 1043 1044
 *                    └──── gap of GAP numbers ─┘
 *
 * What was handed out but is on no row is covered by a reservation on disk: after a crash the counter starts beyond it.
 */
import { assert } from '#base/assert.ts';

/** Numbers left free below a batch in flight. */
const GAP = 1_000;

/** How many revisions one reservation covers. */
const RESERVED_BLOCK = 1_000_000;

export class Revisions {
  #published: number;
  /** First revision of the batch in flight, or undefined. */
  #batchStart: number | undefined;
  /** Every revision up to here is covered by the reservation on disk. */
  #reserved: number;
  #isPublishing = false;

  /** @param reserved what the log says may have been given out. */
  constructor(reserved: number) {
    this.#published = reserved + 1;
    this.#reserved = reserved;
  }

  /** The last published revision. */
  get current(): number {
    return this.#published;
  }

  /** True when a derived write may take a revision now. */
  get canTake(): boolean {
    const next = this.#published + 1;
    if (this.#isPublishing) return false;
    return next <= this.#reserved && (this.#batchStart === undefined || next < this.#batchStart);
  }

  /** A revision for a derived write, published by the caller at once. */
  take(): number {
    assert(this.canTake, 'no revision is free below the batch in flight or the reservation');
    this.#published += 1;
    return this.#published;
  }

  /** Revisions for a batch of `count` durable writes, which the caller publishes after the commit. */
  begin(count: number): { first: number; reserve: number } {
    assert(this.#batchStart === undefined, 'one batch at a time');
    const first = this.#published + GAP + 1;
    this.#batchStart = first;
    return { first, reserve: first + count + RESERVED_BLOCK };
  }

  /** The batch is on disk, and with it this reservation. */
  reserve(reserved: number): void {
    this.#reserved = reserved;
    this.#isPublishing = true;
  }

  /** One revision of the batch is about to be published. Nobody else takes one until `end`. */
  publish(revision: number): void {
    this.#published = revision;
  }

  /** All of the batch is published; one without durable writes has left the counter alone. */
  end(): void {
    this.#batchStart = undefined;
    this.#isPublishing = false;
  }

  /** The batch failed; its revisions are never used. */
  abandon(): void {
    this.#batchStart = undefined;
  }

  /** Time to extend the reservation, even without a durable write. */
  get isRunningLow(): boolean {
    return this.#reserved - this.#published < RESERVED_BLOCK / 2;
  }
}
