/**
 * The tokens of one pod, as its volumes show them: asked of the API, kept in memory, asked anew when four fifths of
 * their life or a day have passed. When that fails, the old one is shown for as long as it is good.
 */
import type { Clock } from '#base/clock.ts';
import { VolumeError } from '#runtime/volumes/volume-error.ts';

export interface WantedToken {
  /** The API server when absent. */
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

export interface IssuedToken {
  readonly token: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

const RENEW_AFTER = 0.8;
const RENEW_AFTER_MS = 24 * 60 * 60_000;

/** Pods that were started at once do not all ask at once. */
const MAX_JITTER_MS = 10_000;

interface Kept extends IssuedToken {
  readonly renewAt: number;
}

export class PodTokens {
  readonly #clock: Clock;
  readonly #request: (wanted: WantedToken) => Promise<IssuedToken>;
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Promise<string>>();

  constructor(clock: Clock, request: (wanted: WantedToken) => Promise<IssuedToken>) {
    this.#clock = clock;
    this.#request = request;
  }

  /** Begins to ask for what will be wanted soon. */
  expect(wanted: WantedToken): void {
    // Whoever wants it asks again, and hears of the failure.
    this.get(wanted).catch(() => undefined);
  }

  /** Of several at the same time one asks. */
  get(wanted: WantedToken): Promise<string> {
    const key = JSON.stringify([wanted.audience, wanted.expirationSeconds]);
    const kept = this.#kept.get(key);
    if (kept && this.#clock.now() < kept.renewAt) return Promise.resolve(kept.token);
    const asked = this.#asked.get(key) ?? this.#ask(key, wanted, kept).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  async #ask(key: string, wanted: WantedToken, kept: Kept | undefined): Promise<string> {
    try {
      const issued = await this.#request(wanted);
      this.#kept.set(key, { ...issued, renewAt: this.#renewAt(issued) });
      return issued.token;
    } catch (error) {
      if (kept && this.#clock.now() < kept.expiresAt) return kept.token;
      throw new VolumeError(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #renewAt({ expiresAt }: IssuedToken): number {
    const now = this.#clock.now();
    const age = Math.min((expiresAt - now) * RENEW_AFTER, RENEW_AFTER_MS);
    return now + age - this.#clock.random() * Math.min(MAX_JITTER_MS, age);
  }
}
