/**
 * The client's end of exec and attach: its streams, its window, whether it is still there. Over a WebSocket, or over
 * SPDY for kubectl before 1.31 and for whoever cannot get a WebSocket through.
 */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import type { Outcome } from '#runtime/kubelet/remote/outcome.ts';
import type { StreamOptions } from '#runtime/kubelet/remote/stream-options.ts';
import type { Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';
import type { WindowSize } from '#sys/pty.ts';

export interface RemoteSession {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Aborts when the client is gone, or was let go. */
  readonly gone: AbortSignal;
  /** The last size that came before is told as well. */
  onResize(listener: (size: WindowSize) => void): void;
  /** Tells how it ended and closes. */
  finish(outcome: Outcome): Promise<void>;
}

export interface RemoteRequest {
  readonly upgrade: Upgrade;
  readonly options: StreamOptions;
  readonly clock: Clock;
}
