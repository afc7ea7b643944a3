/**
 * Asks control for pods: the moment that a request waits, again when twice as many wait, and every report period as
 * long as anybody does (facts: 17.1; the pace is the link's).
 */
import type { Clock } from '#base/clock.ts';
import type { RevisionName } from '#dataplane/gateway/messages.ts';
import { ACTIVATE_SPACING_MS, type Activate } from '#protocol/link.ts';

export interface ActivationOptions {
  readonly clock: Clock;
  readonly send: (message: Activate) => void;
  /** How many wait for a revision now, taken as told; -1 when it is unknown. */
  readonly tell: (uid: string) => number;
}

interface Waiting {
  readonly revision: RevisionName;
  sentAt: number;
  isScheduled: boolean;
}

export class Activation {
  readonly #options: ActivationOptions;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: ActivationOptions) {
    this.#options = options;
  }

  onWaiting(revision: RevisionName): void {
    let waiting = this.#waiting.get(revision.uid);
    if (!waiting) {
      waiting = { revision, sentAt: Number.NEGATIVE_INFINITY, isScheduled: false };
      this.#waiting.set(revision.uid, waiting);
    }
    const now = this.#options.clock.monotonicMs();
    const inMs = waiting.sentAt + ACTIVATE_SPACING_MS - now;
    if (inMs <= 0) this.#say(waiting, now);
    else this.#schedule(waiting, inMs);
  }

  /** The report period is over, or control is back: says again who is still waited for. */
  repeat(): void {
    const now = this.#options.clock.monotonicMs();
    for (const waiting of this.#waiting.values()) this.#say(waiting, now);
  }

  #schedule(waiting: Waiting, inMs: number): void {
    if (waiting.isScheduled) return;
    waiting.isScheduled = true;
    this.#options.clock.after(inMs, () => {
      waiting.isScheduled = false;
      this.#say(waiting, this.#options.clock.monotonicMs());
    });
  }

  #say(waiting: Waiting, now: number): void {
    const { clock, send, tell } = this.#options;
    const { uid, namespace, name } = waiting.revision;
    const queued = tell(uid);
    if (queued <= 0) {
      if (!waiting.isScheduled) this.#waiting.delete(uid);
      return;
    }
    waiting.sentAt = now;
    send({ type: 'activate', namespace, name, at: clock.now(), queued });
  }
}
