/**
 * A revision's load in one thread, as the activator reports it: requests in flight or waiting, averaged over time
 * (the integral of concurrency over the period), and the number that arrived.
 */
export class RevisionStats {
  active = 0;
  #area = 0;
  #since: number;
  #requests = 0;

  constructor(now: number) {
    this.#since = now;
  }

  enter(now: number): void {
    this.#integrate(now);
    this.active += 1;
    this.#requests += 1;
  }

  leave(now: number): void {
    this.#integrate(now);
    this.active -= 1;
  }

  /** What happened since the last call; concurrency × ms, so that threads and periods can be added up. */
  collect(now: number): { readonly area: number; readonly requests: number } {
    this.#integrate(now);
    const collected = { area: this.#area, requests: this.#requests };
    this.#area = 0;
    this.#requests = 0;
    return collected;
  }

  #integrate(now: number): void {
    if (now > this.#since) this.#area += this.active * (now - this.#since);
    this.#since = Math.max(this.#since, now);
  }
}
