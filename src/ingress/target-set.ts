/**
 * The targets that routes use, each compiled once, and which of them a change concerns.
 *
 * A revision that is deleted goes in parts, and its Services may go before its pods, which still answer requests. Such
 * pods drain: their target stays in the table, with the limits it had, until they are gone, so that the gateway can say
 * when they may end.
 */
import { deepEqual } from '#base/json.ts';
import { uidOf } from '#kube/object.ts';
import type { Target, TargetEndpoint } from '#protocol/routing.ts';
import {
  type CompiledTarget,
  compileTarget,
  isAboutPods,
  type TargetName,
  type TargetWorld,
} from '#ingress/compile-target.ts';

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

  /** Compiles a target again; true when it is another one now, or gone. */
  refresh(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    const { target, dependencies } = entry.compiled;
    const compiled = this.#withDraining(compileTarget(entry.name, this.#world), entry.compiled);
    this.#depend(key, dependencies, compiled.dependencies);
    const isSame = deepEqual(target, compiled.target);
    entry.compiled = isSame ? { ...compiled, target } : compiled;
    return this.#dropUnused(key, entry) || !isSame;
  }

  #withDraining(compiled: CompiledTarget, before: CompiledTarget): CompiledTarget {
    const { target, isIncomplete, dependencies } = compiled;
    const { revision, protocol, endpoints } = before.target;
    if (!isIncomplete || !revision) return compiled;
    const known = new Set(target.endpoints.map(({ id }) => id));
    const draining = endpoints
      .filter((endpoint) => !known.has(endpoint.id) && this.#isAlive(endpoint))
      .map((endpoint) => ({ ...endpoint, state: 'draining' as const }));
    const pods = draining.length === 0 ? [] : [...before.dependencies].filter(isAboutPods);
    return {
      target: { ...target, revision, protocol, endpoints: [...target.endpoints, ...draining] },
      isIncomplete,
      dependencies: new Set([...dependencies, ...pods]),
    };
  }

  #isAlive({ id, pod: key }: TargetEndpoint): boolean {
    const pod = this.#world.pod(key);
    const phase = pod?.status?.phase;
    return pod !== undefined && uidOf(pod) === id && phase !== 'Succeeded' && phase !== 'Failed';
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
    return entry !== undefined && this.#dropUnused(key, entry);
  }

  /** True when nobody uses the target any more and it has no pods to wait for. */
  #dropUnused(key: string, { users, compiled }: Entry): boolean {
    const { revision, endpoints } = compiled.target;
    if (users.size > 0 || (revision && endpoints.length > 0)) return false;
    this.#entries.delete(key);
    this.#depend(key, compiled.dependencies, new Set());
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
