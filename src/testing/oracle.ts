/**
 * Recorded exchanges of the real Knative (`test/oracle/serving`), and how an answer of ours is compared with them.
 *
 * What differs between two runs by nature (identities, times, random names) is replaced by placeholders in the
 * recordings; `Normaliser` does the same to our answers. Everything else counts: absence, order, texts. Pointers in a
 * case (`ignore`, `subset`) are JSON pointers in which `*` stands for any characters of one segment and a segment
 * `**` for any number of segments.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isObject } from '#base/json.ts';

export interface OracleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface OracleAnswer {
  readonly status: number;
  /** Only content-type and warning are recorded. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface OracleStep {
  readonly request?: OracleRequest;
  readonly recorded: OracleAnswer;
  readonly ignore?: readonly string[];
  readonly subset?: readonly string[];
}

export interface OracleCase {
  readonly name: string;
  readonly why: string;
  /** ConfigMap → keys that were set while the case ran. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly ignore?: readonly string[];
  readonly subset?: readonly string[];
  readonly steps: readonly OracleStep[];
}

/** The cases of a folder of `test/oracle` whose name matches; throws when there are none. */
export function loadOracleCases(folder: string, pattern: RegExp): OracleCase[] {
  const root = new URL(`../../test/oracle/${folder}/`, import.meta.url);
  const files = readdirSync(root)
    .filter((file) => file.endsWith('.json') && pattern.test(file))
    .sort();
  if (files.length === 0) throw new Error(`no case in ${root.pathname} matches ${pattern}`);
  return files.map((file) => JSON.parse(readFileSync(new URL(file, root), 'utf8')) as OracleCase);
}

/** A value of a case with `{{name}}` replaced in every text. */
export function fillIn<T>(value: T, values: Readonly<Record<string, string>>): T {
  const fill = (text: string) => text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
  if (typeof value === 'string') return fill(value) as T;
  if (Array.isArray(value)) return value.map((entry: unknown) => fillIn(entry, values)) as T;
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [fill(key), fillIn(entry, values)])) as T;
}

const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]';
const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const ADDRESS = /\b(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}\b/g;
const CALLER = /^[a-z.]+\.knative\.dev\/(creator|lastModifier)$/;
/** Controllers rewrite these: how often is no behaviour. */
const REWRITTEN = new Set(['Deployment', 'ReplicaSet', 'ServerlessService', 'PodAutoscaler', 'Metric', 'Ingress']);
const MASKED: Readonly<Record<string, string>> = { resourceVersion: '<rv>', continue: '<continue>' };

/** Replaces what differs between two runs, as the recordings have it. */
export class Normaliser {
  readonly #namespace: string;
  readonly #user: string;
  readonly #uids = new Map<string, string>();
  #generated: { pattern: RegExp; stable: string }[] = [];

  constructor({ namespace, user }: { namespace: string; user: string }) {
    this.#namespace = namespace;
    this.#user = user;
  }

  /** Names made from this prefix are told apart from it only. */
  expectGenerated(prefix: string): void {
    const escaped = prefix.replaceAll(/\W/g, String.raw`\$&`);
    this.#generated.push({ pattern: new RegExp(`${escaped}${RANDOM}{5}`, 'g'), stable: `${prefix}<random>` });
  }

  /** Remembers whose UID is which; call it on an answer before `normalise`. */
  learn(value: unknown): void {
    if (!isObject(value) || !isObject(value['metadata'])) return;
    const { metadata, kind, apiVersion } = value as {
      metadata: Record<string, unknown>;
      kind: string;
      apiVersion: string;
    };
    const { uid, name, generateName } = metadata as Record<'uid' | 'name' | 'generateName', string | undefined>;
    if (uid === undefined) return;
    const stable = generateName && name?.startsWith(generateName) ? `${generateName}<random>` : name;
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
    this.#uids.set(uid, `<uid ${kind}${group}/${stable}>`);
  }

  normalise(value: unknown, key = ''): unknown {
    if (typeof value === 'string') {
      if (CALLER.test(key) && value === this.#user) return '<user>';
      return MASKED[key] ?? this.#text(value);
    }
    if (Array.isArray(value)) return value.map((entry: unknown) => this.normalise(entry));
    if (!isObject(value)) return value;
    const entries = Object.entries(value).filter(([name, entry]) => name !== 'managedFields' && entry !== undefined);
    const result = Object.fromEntries(entries.map(([name, entry]) => [this.#text(name), this.normalise(entry, name)]));
    return REWRITTEN.has(String(value['kind'])) ? withoutGeneration(result) : result;
  }

  #text(text: string): string {
    let result = text;
    for (const { pattern, stable } of this.#generated) result = result.replaceAll(pattern, stable);
    return result
      .replaceAll(this.#namespace, '{{ns}}')
      .replaceAll(UUID, (uid) => this.#uids.get(uid) ?? '<uid>')
      .replaceAll(TIME, (_, fraction?: string, zone?: string) => {
        return `<time${fraction ? '.fraction' : ''}${zone === 'Z' ? '' : ' with offset'}>`;
      })
      .replaceAll(ADDRESS, '<ip>');
  }
}

function withoutGeneration(object: Record<string, unknown>): Record<string, unknown> {
  const { metadata } = object;
  if (!isObject(metadata) || typeof metadata['generation'] !== 'number') return object;
  return { ...object, metadata: { ...metadata, generation: '<generation>' } };
}

export interface OracleRules {
  readonly ignore: readonly string[];
  readonly subset: readonly string[];
}

/** One line per difference between a recorded answer and ours. */
export function oracleDifferences(expected: unknown, actual: unknown, rules: OracleRules): string[] {
  const ignore = rules.ignore.map(segmentsOf);
  const subset = rules.subset.map(segmentsOf);
  const found: string[] = [];
  const visit = (want: unknown, got: unknown, path: readonly string[], isLoose: boolean): void => {
    if (ignore.some((pattern) => matches(pattern, path))) return;
    const loose = isLoose || subset.some((pattern) => matches(pattern, path));
    if (want === undefined && loose) return;
    if (isContainer(want) && isContainer(got) && Array.isArray(want) === Array.isArray(got)) {
      const keys = new Set([...Object.keys(want), ...Object.keys(got)]);
      for (const key of keys) visit(want[key], got[key], [...path, key], loose);
    } else if (want !== got) {
      found.push(`/${path.join('/')}: recorded ${JSON.stringify(want)}, ours ${JSON.stringify(got)}`);
    }
  };
  visit(expected, actual, [], false);
  return found;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === '**') return matches(others, path) || (path.length > 0 && matches(pattern, path.slice(1)));
  const [segment, ...rest] = path;
  return segment !== undefined && segmentMatches(first, segment) && matches(others, rest);
}

function segmentMatches(glob: string, segment: string): boolean {
  const parts = glob.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(segment);
}
