/**
 * Messages between control and gateway: one JSON object per line over the Unix socket that control listens on.
 *
 * A gateway that connects says `hello`; control answers with the whole table or, when the gateway already has a
 * version of this epoch, with what changed since. From then on control pushes updates, the gateway acknowledges each
 * version once all its workers serve it, reports every second, and asks for pods the moment a request has none.
 * Either side may vanish at any byte; the other keeps what it has and connects again.
 */
import type { RoutingTable, RoutingUpdate } from '#protocol/routing.ts';

/** Longest line that either side accepts, in bytes. */
const MAX_LINK_MESSAGE_BYTES = 64 * 1024 * 1024;

/** How often the gateway reports, in ms. */
export const REPORT_PERIOD_MS = 1_000;

/** Least time between two `activate` of one revision, in ms. */
export const ACTIVATE_SPACING_MS = 20;

export interface Hello {
  readonly type: 'hello';
  readonly pid: number;
  /** Epoch and version of the table that the gateway serves; version 0 when it has none. */
  readonly epoch: string;
  readonly version: number;
}

/** All workers serve this version. */
export interface Ack {
  readonly type: 'ack';
  readonly epoch: string;
  readonly version: number;
}

export interface RevisionReport {
  readonly namespace: string;
  readonly name: string;
  /** Requests in flight or waiting, averaged over the period. */
  readonly concurrency: number;
  /** Requests that arrived in the period. */
  readonly requests: number;
  /** Waiting for a slot, now. */
  readonly queued: number;
  /** Being served by a pod, now. */
  readonly active: number;
}

/** What went through the gateway since the last report. Revisions without traffic and without a request in flight are left out. */
export interface Report {
  readonly type: 'report';
  /** End of the period, ms since the epoch. */
  readonly at: number;
  readonly periodMs: number;
  readonly revisions: readonly RevisionReport[];
}

/**
 * A request found no pod, or none with room: somebody waits. Sent at once, again when twice as many wait as the last one
 * told (`ACTIVATE_SPACING_MS` apart at least), and again every report period while anybody waits. The autoscaler counts
 * what is new in it, so saying it again is harmless; what grows between two reports is what a panic is acted on by.
 */
export interface Activate {
  readonly type: 'activate';
  readonly namespace: string;
  readonly name: string;
  readonly at: number;
  readonly queued: number;
}

/** One finished cold start: a request that waited until a pod was there, with all steps. */
export interface ColdStart {
  readonly type: 'coldstart';
  readonly namespace: string;
  readonly name: string;
  readonly pod: string;
  readonly at: number;
  readonly totalMs: number;
  readonly steps: readonly { readonly name: string; readonly durationMs: number }[];
}

/**
 * Draining endpoints, by the pod's UID, through which no request runs any more: their pods may be told to end. Sent
 * once each, as soon as it is so; an endpoint that is idle when it begins to drain is named at once.
 */
export interface Drained {
  readonly type: 'drained';
  readonly endpoints: readonly string[];
}

export type GatewayMessage = Hello | Ack | Report | Activate | ColdStart | Drained;

export interface TableMessage {
  readonly type: 'table';
  readonly table: RoutingTable;
}

export interface UpdateMessage {
  readonly type: 'update';
  readonly update: RoutingUpdate;
}

export type ControlMessage = TableMessage | UpdateMessage;

/** Splits a byte stream into lines and parses each; `null` from `feed` means that the peer broke the contract. */
export class LineReader<T> {
  #pending: Buffer[] = [];
  #size = 0;

  /** The messages that `chunk` completed, or null when a line is too long or no JSON. */
  feed(chunk: Buffer): T[] | null {
    const messages: T[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...this.#pending, chunk.subarray(start, end)]);
      this.#pending = [];
      this.#size = 0;
      start = end + 1;
      if (line.length === 0) continue;
      const message = parseJson(line);
      if (message === undefined) return null;
      messages.push(message as T);
    }
    this.#keep(chunk.subarray(start));
    return this.#size > MAX_LINK_MESSAGE_BYTES ? null : messages;
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#pending.push(rest);
    this.#size += rest.length;
  }
}

export function encodeLine(message: GatewayMessage | ControlMessage): string {
  return `${JSON.stringify(message)}\n`;
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}
