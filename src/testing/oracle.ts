/**
 * Recorded exchanges of the real Knative (`test/oracle/serving`): their form, and how an answer of ours is compared
 * with a recorded one.
 *
 * A case is a list of steps, each with what the real system said to it. What differs between two runs by nature is
 * replaced by placeholders in the recordings; `oracle-normaliser.ts` does the same to our answers. Everything else
 * counts: absence, order, texts. Pointers in a case (`ignore`, `subset`) are JSON pointers in which `*` stands for any
 * characters of one segment and a segment `**` for any number of segments.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isObject } from '#base/json.ts';

export interface OracleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Name → pointer into the answer, whose value later steps call `{{name}}`. */
  readonly save?: Readonly<Record<string, string>>;
}

export interface OracleAnswer {
  readonly status: number;
  /** Only content-type and warning are recorded. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What must hold of the answer to GET `path`: its status, or the value that the pointer `at` leads to. */
export interface OracleCondition {
  readonly path: string;
  readonly at?: string;
  readonly equals?: unknown;
  readonly exists?: boolean;
  readonly status?: number;
}

/** Waits for every condition, then until nothing of `kinds` has changed for a while. */
export interface OracleSettle {
  readonly until?: readonly OracleCondition[];
  /** `v1/services`, `serving.knative.dev/v1/services`: whose objects are the result. */
  readonly kinds?: readonly string[];
  /** Seconds. */
  readonly quiet?: number;
  /** Seconds for all of it. */
  readonly timeout?: number;
}

/** Exactly one of request, table, settle and pause. */
export interface OracleStep {
  readonly request?: OracleRequest;
  readonly table?: { readonly path: string };
  readonly settle?: OracleSettle;
  readonly pause?: { readonly seconds: number };
  readonly recorded?: unknown;
  readonly mode?: OracleMode;
  readonly ignore?: readonly string[];
  readonly subset?: readonly string[];
}

/** With `subset`, an answer may say more than was recorded. */
type OracleMode = 'exact' | 'subset';

export interface OracleCase {
  readonly name: string;
  readonly why: string;
  /** ConfigMap → keys that are set while the case runs. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly mode?: OracleMode;
  readonly ignore?: readonly string[];
  readonly subset?: readonly string[];
  /** What to DELETE at the end: objects without a namespace. */
  readonly cleanup?: readonly string[];
  /** Not beside other cases. */
  readonly alone?: boolean;
  readonly steps: readonly OracleStep[];
}

/** The cases of a folder of `test/oracle` whose file name matches; throws when there are none. */
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

/** The value at a JSON pointer; a segment `[key=value]` picks the entry of a list. */
export function readPointer(root: unknown, pointer: string): unknown {
  let value: unknown = root;
  for (const part of segmentsOf(pointer)) {
    const [, key, wanted] = /^\[(.+?)=(.*)\]$/.exec(part) ?? [];
    if (key !== undefined) {
      value = Array.isArray(value) ? value.find((one) => isObject(one) && String(one[key]) === wanted) : undefined;
    } else value = isContainer(value) ? value[part] : undefined;
  }
  return value;
}

export interface OracleRules {
  readonly ignore: readonly string[];
  readonly subset: readonly string[];
}

/** What of a step's result is compared, by the case's word and the step's. */
export function rulesOf(test: Omit<OracleCase, 'name' | 'why' | 'steps'>, step: OracleStep): OracleRules {
  const everything = (step.mode ?? test.mode) === 'subset' ? ['/**'] : [];
  return {
    ignore: [...(test.ignore ?? []), ...(step.ignore ?? [])],
    subset: [...everything, ...(test.subset ?? []), ...(step.subset ?? [])],
  };
}

/** One line per difference between a recorded result and ours. */
export function oracleDifferences(expected: unknown, actual: unknown, rules: OracleRules): string[] {
  const ignore = rules.ignore.map(segmentsOf);
  const subset = rules.subset.map(segmentsOf);
  const found: string[] = [];
  const report = (path: readonly string[], want: unknown, got: unknown) =>
    found.push(`/${path.join('/')}: recorded ${JSON.stringify(want)}, ours ${JSON.stringify(got)}`);
  const visit = (want: unknown, got: unknown, path: readonly string[], isLoose: boolean): void => {
    if (ignore.some((pattern) => matches(pattern, path))) return;
    const loose = isLoose || subset.some((pattern) => matches(pattern, path));
    if (want === undefined && loose) return;
    if (isContainer(want) && isContainer(got) && Array.isArray(want) === Array.isArray(got)) {
      if (Array.isArray(want) && want.length !== got['length']) report(path, `${want.length} entries`, got['length']);
      const keys = new Set([...Object.keys(want), ...Object.keys(got)]);
      for (const key of keys) visit(want[key], got[key], [...path, key], loose);
    } else if (want !== got) {
      report(path, want, got);
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
