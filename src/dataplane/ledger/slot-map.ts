/** Numbers for names, with the claims that keep a number taken, and a quarantine before it is given away again. */
interface Entry<C> {
  readonly slot: number;
  /** Who names it → what it says. */
  readonly claims: Map<string, C>;
  /** The version that named it last; set when no claim is left. */
  forgottenAt: number | undefined;
}

export class SlotMap<C> {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry<C>>();
  readonly #free: number[] = [];
  readonly #forgotten = new Set<string>();
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The slot of `name`, claimed by `claimant`; -1 when all are taken. */
  claim(name: string, claimant: string, claim: C): number {
    const known = this.#entries.get(name);
    if (known) {
      known.claims.set(claimant, claim);
      known.forgottenAt = undefined;
      this.#forgotten.delete(name);
      return known.slot;
    }
    const slot = this.#free.pop() ?? (this.#used < this.#limit ? this.#used++ : -1);
    if (slot >= 0) this.#entries.set(name, { slot, claims: new Map([[claimant, claim]]), forgottenAt: undefined });
    return slot;
  }

  slotOf(name: string): number {
    return this.#entries.get(name)?.slot ?? -1;
  }

  claimsOf(name: string): C[] {
    return [...(this.#entries.get(name)?.claims.values() ?? [])];
  }

  /** Withdraws one claim; `version` is the first table without it. */
  release(name: string, claimant: string, version: number): void {
    const entry = this.#entries.get(name);
    if (!entry?.claims.delete(claimant) || entry.claims.size > 0) return;
    entry.forgottenAt = version;
    this.#forgotten.add(name);
  }

  /** Gives away what was forgotten by `version` at the latest and `isUnused`. */
  reclaim(version: number, isUnused: (slot: number) => boolean): void {
    for (const name of this.#forgotten) {
      const entry = this.#entries.get(name);
      if (!entry || (entry.forgottenAt ?? Infinity) > version || !isUnused(entry.slot)) continue;
      this.#forgotten.delete(name);
      this.#entries.delete(name);
      this.#free.push(entry.slot);
    }
  }
}
