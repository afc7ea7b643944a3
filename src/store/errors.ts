/** What a write or a watch can come back with; the API server turns these into Status errors. */

/** The object is not at the revision that the writer expected (or exists, or is gone). */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  /** Revision of the object that is there, or undefined when there is none. */
  readonly actual: number | undefined;

  constructor(actual: number | undefined) {
    super(actual === undefined ? 'the object does not exist' : `the object is at revision ${actual}`);
    this.actual = actual;
  }
}

/** The history does not reach back to the revision asked for. */
export class RevisionCompacted extends Error {
  override readonly name = 'RevisionCompacted';
  readonly requested: number;
  /** The oldest revision from which a watch can start. */
  readonly oldest: number;

  constructor(requested: number, oldest: number) {
    super(`revision ${requested} is no longer in the history, which begins at ${oldest}`);
    this.requested = requested;
    this.oldest = oldest;
  }
}

/** The disk did not take the write; nothing of it is visible. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly diskFull: boolean;

  constructor(message: string, options: { cause?: unknown; diskFull?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.diskFull = options.diskFull ?? false;
  }
}

/** More writes wait than the store queues. */
export class TooManyWrites extends Error {
  override readonly name = 'TooManyWrites';
  constructor(limit: number) {
    super(`${limit} writes are waiting for the disk`);
  }
}
