/** The targets that routes use, each compiled once, and which of them a change concerns. */
import { deepEqual } from '#base/json.ts';
import type { Target } from '#protocol/routing.ts';
import { type CompiledTarget, compileTarget, type TargetName, type TargetWorld } from '#ingress/compile-target.ts';

interface Entry {
  compiled: CompiledTarget;
  readonly name: TargetName;
  /** Keys of the routes that lead here. */
  readonly users: Set<string>;
}

export class TargetSet {
  readonly #world: TargetWorld;
  readonly #entries = new Map<string, Entry>();
  readonly #dependents = new Map<string, Set<string>>();

  constructor(world: TargetWorld) {
    this.#world = world;
  }

  get(key: string): Target | undefined {
    return this.#entries.get(key)?.compiled.target;
  }

  values(): Target[] {
    return [...this.#entries.values()].map(({ compiled }) => compiled.target);
  }

  /** Targets to compile again when what `dependency` names has changed. */
  dependentsOf(dependency: string): Iterable<string> {
    return this.#dependents.get(dependency) ?? [];
  }

  /** `user` leads to exactly these targets from now on; answers which came or went. */
  use(user: string, before: ReadonlySet<string>, after: ReadonlySet<string>): string[] {
    const changed: string[] = [];
    for (const key of before) if (!after.has(key) && this.#leave(key, user)) changed.push(key);
    for (const key of after) if (this.#join(key, user)) changed.push(key);
    return changed;
  }

  /** Compiles a target again; true when it is another one now. */
  refresh(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    const compiled = compileTarget(entry.name, this.#world);
    this.#depend(key, entry.compiled.dependencies, compiled.dependencies);
    const isSame = deepEqual(entry.compiled.target, compiled.target);
    if (!isSame) entry.compiled = compiled;
    else entry.compiled = { ...compiled, target: entry.compiled.target };
    return !isSame;
  }

  #join(key: string, user: string): boolean {
    const known = this.#entries.get(key);
    if (known) {
      known.users.add(user);
      return false;
    }
    const name = parseTargetKey(key);
    const compiled = compileTarget(name, this.#world);
    this.#entries.set(key, { compiled, name, users: new Set([user]) });
    this.#depend(key, new Set(), compiled.dependencies);
    return true;
  }

  #leave(key: string, user: string): boolean {
    const entry = this.#entries.get(key);
    entry?.users.delete(user);
    if (!entry || entry.users.size > 0) return false;
    this.#entries.delete(key);
    this.#depend(key, entry.compiled.dependencies, new Set());
    return true;
  }

  #depend(key: string, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    for (const dependency of before) {
      if (after.has(dependency)) continue;
      const dependents = this.#dependents.get(dependency);
      dependents?.delete(key);
      if (dependents?.size === 0) this.#dependents.delete(dependency);
    }
    for (const dependency of after) {
      const dependents = this.#dependents.get(dependency) ?? new Set();
      this.#dependents.set(dependency, dependents.add(key));
    }
  }
}

function parseTargetKey(key: string): TargetName {
  const [, namespace = '', service = '', port = ''] = /^([^/]*)\/(.*):(\d+)$/.exec(key) ?? [];
  return { namespace, service, port: Number(port) };
}
