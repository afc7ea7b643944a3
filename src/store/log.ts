/**
 * The durable side of the store: an ordered set of rows that survives a crash. `sqlite-log.ts` is the real one;
 * `memory-log.ts` keeps rows in memory for tests and throw-away platforms.
 */

/** One object's last state; a null value removes the row. */
export interface LogRow {
  /** `resource/namespace/name`, the namespace empty for cluster-scoped objects. */
  readonly key: string;
  readonly revision: number;
  readonly value: string | null;
}

export interface LogContent {
  readonly rows: readonly LogRow[];
  /** Every revision up to here may have been given out. */
  readonly reserved: number;
}

export interface StoreLog extends AsyncDisposable {
  /** Everything that was committed. Called once, before any commit. */
  load(): Promise<LogContent>;
  /** Resolves when all rows and the reservation are on disk, together; rejects when none of it is. */
  commit(rows: readonly LogRow[], reserved: number): Promise<void>;
}
