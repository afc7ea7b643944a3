/**
 * Which Ingress has which host. A host belongs to the first that asks for it; others wait, as wholes, until every host
 * that they want is free. Nobody loses a host by somebody else's wish.
 */
import type { ObjectKey } from '#kube/object.ts';

export class HostClaims {
  readonly #owners = new Map<string, ObjectKey>();
  readonly #hosts = new Map<ObjectKey, ReadonlySet<string>>();
  readonly #waiting = new Map<string, Set<ObjectKey>>();

  /** Gives `key` exactly these hosts, if none of them is another's; who waited for a host that it gives up is returned. */
  claim(key: ObjectKey, hosts: ReadonlySet<string>): { readonly granted: boolean; readonly released: Set<ObjectKey> } {
    this.#forgetWait(key);
    const taken = [...hosts].filter((host) => (this.#owners.get(host) ?? key) !== key);
    if (taken.length > 0) {
      for (const host of taken) this.#waiting.set(host, (this.#waiting.get(host) ?? new Set()).add(key));
      return { granted: false, released: new Set() };
    }
    const given = [...(this.#hosts.get(key) ?? [])].filter((host) => !hosts.has(host));
    for (const host of given) this.#owners.delete(host);
    for (const host of hosts) this.#owners.set(host, key);
    this.#hosts.set(key, hosts);
    return { granted: true, released: this.#waitersOf(given) };
  }

  /** `key` is gone; answers who waited for its hosts. */
  release(key: ObjectKey): Set<ObjectKey> {
    this.#forgetWait(key);
    const hosts = [...(this.#hosts.get(key) ?? [])];
    for (const host of hosts) this.#owners.delete(host);
    this.#hosts.delete(key);
    return this.#waitersOf(hosts);
  }

  #waitersOf(hosts: readonly string[]): Set<ObjectKey> {
    return new Set(hosts.flatMap((host) => [...(this.#waiting.get(host) ?? [])]));
  }

  #forgetWait(key: ObjectKey): void {
    for (const [host, waiting] of this.#waiting) {
      if (waiting.delete(key) && waiting.size === 0) this.#waiting.delete(host);
    }
  }
}
