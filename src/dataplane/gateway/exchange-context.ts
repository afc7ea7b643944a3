/** What one request brings along, and what all exchanges of a worker share. */
import type { Clock } from '#base/clock.ts';
import type { BackendRef, Endpoint, Revision } from '#dataplane/gateway/backends.ts';
import type { EpochClock } from '#dataplane/gateway/cold-start.ts';
import type { LoggedRequest, RequestLog } from '#dataplane/gateway/request-log.ts';
import type { Ledger } from '#dataplane/ledger/ledger.ts';
import type { Deadlines } from '#dataplane/proxy/deadlines.ts';
import type { Downstream, UpstreamRequest } from '#dataplane/proxy/exchange.ts';
import type { TimelineStep } from '#protocol/timeline.ts';

/** An exchange as the worker sees it. */
export interface RunningExchange {
  /** A new table is in force. */
  onTable(): void;
  /** Ends at once, for a process that goes away. */
  cut(): void;
}

/** What the exchanges of one worker share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly epoch: EpochClock;
  readonly deadlines: Deadlines;
  readonly ledger: Ledger;
  readonly log: RequestLog;
  /** A request waits: the revision has no pod, or none with room. */
  readonly onWaiting: (revision: Revision) => void;
  readonly onColdStart: (revision: Revision, endpoint: Endpoint, steps: readonly TimelineStep[]) => void;
  /** Every exchange, from its beginning to its end. */
  readonly running: Set<RunningExchange>;
}

export interface ExchangePlan {
  readonly downstream: Downstream;
  readonly backend: BackendRef;
  readonly request: UpstreamRequest;
  readonly contentLength: number;
  /** The client asked for the cold start's steps. */
  readonly wantsTiming: boolean;
  readonly logged: LoggedRequest | undefined;
}
