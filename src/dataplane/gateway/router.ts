/**
 * Host and path → route. One compiled entry per host and visibility; a change of one Ingress recompiles that one.
 *
 * `external` hosts are served on every listener, `local` ones on the cluster-local listener only: what a client
 * writes into Host or an absolute target decides which entry is looked for, never on which listener it came. Hosts
 * match in any case and with any port. When two Ingresses claim a host, the first by name has it.
 */
import type { BackendRef } from '#dataplane/gateway/backends.ts';
import { splitSequence, TURNS } from '#dataplane/gateway/split-sequence.ts';
import type { PlacedRoute } from '#dataplane/ledger/directory.ts';
import { equalsIgnoreCase } from '#dataplane/proxy/bytes.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { RoutePath, RouteRule, RouteSplit, Visibility } from '#protocol/routing.ts';

/** Fields that a route sets, ready to be written. */
export interface FieldSet {
  /** Lower-case names that the client's own fields lose, beside those that it loses anyway. */
  readonly overrides: readonly string[];
  /** As lines, for an application behind a Revision: without what the activator would take away again. */
  readonly revisionLines: string;
  /** As lines, for anything else. */
  readonly serviceLines: string;
  /** The revision that the route names. */
  readonly revisionName: string | undefined;
}

const TOKEN_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
/** Told by routes to activators; no application sees them. */
const INTERNAL = new Set(['knative-serving-revision', 'knative-serving-namespace']);

/** As octets that may stand in a head: UTF-8, without anything that could end the line. */
function fieldText(value: string): string {
  return Buffer.from(value.replaceAll(/[\r\n\0]/g, ''), 'utf8').toString('latin1');
}

function fieldSet(values: Readonly<Record<string, string>>): FieldSet {
  const all = Object.entries(values)
    .filter(([name]) => TOKEN_NAME.test(name))
    .map(([name, value]) => ({ name: name.toLowerCase(), line: `${name}: ${fieldText(value)}\r\n`, value }));
  const lines = (fields: typeof all) => fields.map(({ line }) => line).join('');
  const visible = all.filter(({ name }) => !INTERNAL.has(name));
  return {
    overrides: visible.map(({ name }) => name),
    revisionLines: lines(visible),
    serviceLines: lines(all),
    revisionName: all.find(({ name }) => name === 'knative-serving-revision')?.value,
  };
}

export interface CompiledSplit {
  readonly backend: BackendRef;
  readonly fields: FieldSet;
}

export interface CompiledPath {
  readonly prefix: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly rewriteHost: string | undefined;
  readonly splits: readonly CompiledSplit[];
  readonly sequence: Uint8Array;
  readonly counter: number;
}

export interface CompiledRule {
  readonly routeKey: string;
  readonly hash: string;
  readonly visibility: Visibility;
  readonly redirects: boolean;
  readonly paths: readonly CompiledPath[];
}

interface HostEntry {
  readonly external: CompiledRule[];
  readonly local: CompiledRule[];
}

export interface RouterOptions {
  readonly ref: (key: string) => BackendRef;
  /** The next number of a split counter. */
  readonly nextOf: (counter: number) => number;
}

export class Router {
  readonly #options: RouterOptions;
  readonly #hosts = new Map<string, HostEntry>();
  readonly #rules = new Map<string, { readonly rule: CompiledRule; readonly hosts: readonly string[] }[]>();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  apply(changed: readonly PlacedRoute[], deleted: readonly string[]): void {
    for (const key of deleted) this.#remove(key);
    for (const placed of changed) {
      this.#remove(placed.route.key);
      this.#add(placed);
    }
  }

  get size(): number {
    return this.#rules.size;
  }

  /** Keys of all targets that some route points at. */
  targets(): Set<string> {
    const keys = new Set<string>();
    for (const rules of this.#rules.values())
      for (const { rule } of rules)
        for (const path of rule.paths) for (const split of path.splits) keys.add(split.backend.key);
    return keys;
  }

  /** The rule for a host (lower case, without port) as `visibility` may see it. */
  rule(host: string, seenFrom: Visibility): CompiledRule | undefined {
    const entry = this.#hosts.get(host);
    if (!entry) return undefined;
    return seenFrom === 'external' ? entry.external[0] : (entry.local[0] ?? entry.external[0]);
  }

  /** The first path of the rule that matches the request. */
  path(rule: CompiledRule, head: RequestHead): CompiledPath | undefined {
    for (const path of rule.paths) {
      if ((path.prefix === '' || hasPrefix(head, path.prefix)) && hasHeaders(head, path.headers)) return path;
    }
    return undefined;
  }

  /** Whose turn it is. */
  split(path: CompiledPath): CompiledSplit | undefined {
    if (path.splits.length === 1) return path.splits[0];
    const turn = path.counter < 0 ? 0 : this.#options.nextOf(path.counter) % TURNS;
    return path.splits[path.sequence[turn] as number];
  }

  #add({ route, counters }: PlacedRoute): void {
    const compiled = route.rules.map((rule, index) => ({
      hosts: rule.hosts,
      rule: this.#compile(rule, counters[index] ?? [], {
        routeKey: route.key,
        hash: route.hash,
        redirects: route.httpOption === 'redirect',
      }),
    }));
    this.#rules.set(route.key, compiled);
    for (const { rule, hosts } of compiled) for (const host of hosts) this.#enter(host, rule);
  }

  #enter(host: string, rule: CompiledRule): void {
    let entry = this.#hosts.get(host);
    if (!entry) this.#hosts.set(host, (entry = { external: [], local: [] }));
    const list = entry[rule.visibility];
    list.push(rule);
    list.sort((left, right) => (left.routeKey < right.routeKey ? -1 : 1));
  }

  #remove(key: string): void {
    for (const { rule, hosts } of this.#rules.get(key) ?? []) {
      for (const host of hosts) {
        const entry = this.#hosts.get(host);
        const list = entry?.[rule.visibility];
        const index = list?.indexOf(rule) ?? -1;
        if (index >= 0) list?.splice(index, 1);
        if (entry?.external.length === 0 && entry.local.length === 0) this.#hosts.delete(host);
      }
    }
    this.#rules.delete(key);
  }

  #compile(
    rule: RouteRule,
    counters: readonly number[],
    route: Pick<CompiledRule, 'routeKey' | 'hash' | 'redirects'>,
  ): CompiledRule {
    const paths = rule.paths.map((path, index) => this.#compilePath(path, counters[index] ?? -1));
    return { ...route, visibility: rule.visibility, paths };
  }

  #compilePath(path: RoutePath, counter: number): CompiledPath {
    return {
      prefix: path.prefix,
      headers: Object.entries(path.headers),
      rewriteHost: path.rewriteHost === undefined ? undefined : fieldText(path.rewriteHost),
      splits: path.splits.map((split) => this.#compileSplit(path, split)),
      sequence: splitSequence(path.splits.map(({ percent }) => percent)),
      counter,
    };
  }

  #compileSplit(path: RoutePath, split: RouteSplit): CompiledSplit {
    const fields = fieldSet({ ...path.appendHeaders, ...split.appendHeaders });
    return { backend: this.#options.ref(split.target), fields };
  }
}

function hasPrefix({ buf, pathStart, pathEnd }: RequestHead, prefix: string): boolean {
  if (pathEnd - pathStart < prefix.length) return prefix === '/' && pathEnd === pathStart;
  for (let i = 0; i < prefix.length; i += 1) if (buf[pathStart + i] !== prefix.charCodeAt(i)) return false;
  return true;
}

function hasHeaders(head: RequestHead, headers: readonly (readonly [string, string])[]): boolean {
  return headers.every(([name, value]) => hasHeader(head, name, value));
}

function hasHeader(head: RequestHead, name: string, value: string): boolean {
  const { fields, buf } = head;
  for (let i = 0; i < fields.count; i += 1) {
    const isNamed = equalsIgnoreCase(buf, fields.nameStart(i), fields.nameEnd(i), name);
    if (isNamed && head.valueAt(i) === value) return true;
  }
  return false;
}

/** A host as routes know it: lower case, without port and without the root's dot. */
export function routeHost(host: string): string {
  const colon = host.lastIndexOf(':');
  const bare = colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
  const plain = bare.endsWith('.') ? bare.slice(0, -1) : bare;
  return plain.toLowerCase();
}

/** Spellings of hosts that are remembered. */
const MAX_HOSTS = 4_096;

/** `routeHost`, remembering what it found: clients spell a host the same way each time. */
export class HostNames {
  readonly #known = new Map<string, string>();

  of(host: string): string {
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_HOSTS) this.#known.clear();
    const name = routeHost(host);
    this.#known.set(host, name);
    return name;
  }
}
