/**
 * Replaces what differs between two runs by nature with tokens, as the recordings have it. Equal values get equal
 * tokens, which are named after the step where the value was first seen: `<uid:s1>`, `<rv:s3>`, `<ip:s5.1>`. What a
 * case itself wrote is never replaced.
 */
import { isObject } from '#base/json.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const IPV4 = /\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g;
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const VERSION_TEXT =
  /((?:resource version:?|too old resource version:|object meta:|current:|ResourceVersion in precondition:|ResourceVersion in record \() ?)(\d+)((?: \((\d+)\))?)/gi;
const VERSION_MEMBER = /(resourceVersion\\*": ?\\*")(\d+)/g;
const NODE_PORT = /(:)(3[0-2]\d{3})(\/(TCP|UDP))/g;
const AGE = /^(\d+[smhdy])+$/;
const RESTARTS = /^\S+ \((\d+[smhdy])+ ago\)$/;
const HASH_LABEL = 'pod-template-hash';
const UNMASKED_ADDRESSES = ['127.0.0.1', '0.0.0.0'];

type Family = 'uid' | 'rv' | 'ip';

export interface MaskOptions {
  readonly namespace: string;
  /** Everything that the case says itself. */
  readonly literals: string;
  readonly keepsManagedFields: boolean;
}

interface Place {
  readonly key: string;
  /** Inside the metadata of a list, whose version is nobody's. */
  readonly isOfList: boolean;
}

export class Mask {
  readonly #options: MaskOptions;
  readonly #seen: Record<Family, Map<string, string>> = { uid: new Map(), rv: new Map(), ip: new Map() };
  /** Longest first, so that a name is replaced before the part of it that is known by itself. */
  #names: [name: string, token: string][] = [];
  #place = 's0';

  constructor(options: MaskOptions) {
    this.#options = options;
  }

  /** Tokens to come are named after this step, or this event of a watch. */
  enter(place: string): void {
    this.#place = place;
  }

  value(value: unknown): unknown {
    this.#learnNames(value);
    return this.#walk(value, { key: '', isOfList: false });
  }

  text(text: string): string {
    let result = text;
    for (const [name, token] of this.#names) result = result.replaceAll(name, token);
    const unlessOwn = (family: Family) => (match: string) =>
      this.#isOwn(match) || UNMASKED_ADDRESSES.includes(match) ? match : this.#token(family, match);
    return result
      .replaceAll(this.#options.namespace, '{{ns}}')
      .replaceAll(JWT, (match) => (this.#isOwn(match) ? match : '<jwt>'))
      .replaceAll(UUID, unlessOwn('uid'))
      .replaceAll(TIME, (match, fraction?: string) => {
        if (this.#isOwn(match)) return match;
        return fraction ? '<microtime>' : '<time>';
      })
      .replaceAll(IPV4, unlessOwn('ip'))
      .replaceAll(/0x[0-9a-f]{8,16}\b/g, '<pointer>')
      .replaceAll(/kube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<suffix>')
      .replaceAll(VERSION_MEMBER, (_, before: string, version: string) => before + this.#version(version))
      .replaceAll(VERSION_TEXT, (_, before: string, version: string, other: string) => {
        const shown = this.#isOwn(version) ? version : this.#version(version);
        return before + shown + (other === '' ? '' : ' (<n>)');
      })
      .replaceAll(NODE_PORT, (match, before: string, port: string, after: string) =>
        this.#isOwn(port) ? match : `${before}<nodePort>${after}`,
      );
  }

  #isOwn(text: string): boolean {
    return this.#options.literals.includes(text);
  }

  #version(version: string): string {
    return this.#seen.rv.has(version) ? this.#token('rv', version) : '<n>';
  }

  #token(family: Family, value: string): string {
    const known = this.#seen[family];
    const given = known.get(value) ?? this.#next([...known.values()]);
    known.set(value, given);
    return `<${family}:${given}>`;
  }

  #next(given: readonly string[]): string {
    const here = given.filter((place) => place === this.#place || place.startsWith(`${this.#place}.`)).length;
    return here === 0 ? this.#place : `${this.#place}.${here}`;
  }

  /** Names that the server made up are recognised everywhere. */
  #learnNames(value: unknown): void {
    if (Array.isArray(value)) return value.forEach((element) => this.#learnNames(element));
    if (!isObject(value)) return;
    const { metadata } = value;
    if (isObject(metadata)) this.#learnName(metadata, value['kind']);
    for (const member of Object.values(value)) this.#learnNames(member);
  }

  #learnName({ generateName: prefix, name, labels }: Record<string, unknown>, kind: unknown): void {
    const hash = isObject(labels) ? labels[HASH_LABEL] : undefined;
    const isGenerated = typeof prefix === 'string' && typeof name === 'string' && name.startsWith(prefix);
    const isMadeUp = isGenerated && name.length > prefix.length && !this.#isOwn(name);
    if (typeof hash === 'string' && (isMadeUp || kind === 'ReplicaSet')) this.#learn(hash, '<hash:');
    if (!isMadeUp) return;
    const known = this.#names.find(([other]) => other === hash)?.[1] ?? '';
    this.#learn(name, `${typeof hash === 'string' ? prefix.replace(hash, known) : prefix}<name:`);
  }

  #learn(name: string, prefix: string): void {
    if (this.#names.some(([known]) => known === name)) return;
    const here = this.#names.filter(([, token]) => token.includes(`:${this.#place}`)).length;
    const place = here === 0 ? this.#place : `${this.#place}.${here}`;
    this.#names = [...this.#names, [name, `${prefix}${place}>`] as [string, string]].sort(
      ([a], [b]) => b.length - a.length,
    );
  }

  #walk(value: unknown, place: Place): unknown {
    if (typeof value === 'string') return this.#leaf(value, place);
    if (typeof value === 'number') {
      return place.key === 'nodePort' && !this.#isOwn(String(value)) ? '<nodePort>' : value;
    }
    if (Array.isArray(value)) return value.map((element) => this.#walk(element, { key: place.key, isOfList: false }));
    return isObject(value) ? this.#object(value, place) : value;
  }

  #object(value: Record<string, unknown>, { key, isOfList }: Place): Record<string, unknown> {
    const isBookmark = key === 'object' && value['$bookmark'] === true;
    const isList = isBookmark || isListLike(value);
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      if (name === '$bookmark') continue;
      if (name === 'managedFields' && key === 'metadata') {
        if (this.#options.keepsManagedFields) result[name] = this.#walk(inFixedOrder(member), { key: name, isOfList });
        continue;
      }
      result[this.text(name)] = this.#walk(member, { key: name, isOfList: name === 'metadata' ? isList : isOfList });
    }
    return result;
  }

  #leaf(text: string, { key, isOfList }: Place): string {
    if (key === 'resourceVersion' && /^\d+$/.test(text)) {
      if (text === '0') return text;
      return isOfList ? '<rv>' : this.#token('rv', text);
    }
    if (key === 'continue' && text !== '' && !this.#isOwn(text)) return '<continue>';
    if (key === 'cells' && AGE.test(text)) return '<age>';
    if (key === 'cells' && RESTARTS.test(text)) return text.replace(/\(.*\)/, '(<age> ago)');
    return this.text(text);
  }
}

function isListLike({ items, rows, kind }: Record<string, unknown>): boolean {
  return Array.isArray(items) || Array.isArray(rows) || /List$|^Table$/.test(typeof kind === 'string' ? kind : '');
}

/** The server sorts entries by time first, in seconds, which no test can hold still. */
function inFixedOrder(entries: unknown): unknown {
  const rank = ({ operation, manager, subresource, apiVersion }: Record<string, unknown>) =>
    [operation, manager, subresource ?? '', apiVersion].join('\0');
  if (!Array.isArray(entries)) return entries;
  return (entries as Record<string, unknown>[]).toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
