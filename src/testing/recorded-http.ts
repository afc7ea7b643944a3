/**
 * Exchanges recorded from a real kube-apiserver (`test/oracle/kube`), for tests of what is pure in them: selectors,
 * patches, apply, names. Their format: a case has steps; a step is a request and the answer that it got.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isObject } from '#base/json.ts';

export interface RecordedStep {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The body as text, where it is no JSON or says something twice. */
  readonly bodyText?: string;
  /** JSON pointers; only these parts of the answer are kept. `[name=x]` picks an element of a list. */
  readonly pick?: readonly string[];
  /** The answer was not kept. */
  readonly noBody?: boolean;
  /** The causes are in alphabetical order, and their list is not in the message. */
  readonly sortCauses?: boolean;
  readonly expect: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
}

export interface RecordedCase {
  readonly name: string;
  readonly why: string;
  readonly steps: readonly RecordedStep[];
}

/** The cases whose name matches; throws when there are none. */
export function recordedCases(pattern: RegExp): RecordedCase[] {
  const root = new URL('../../test/oracle/kube/', import.meta.url);
  const files = readdirSync(root)
    .filter((file) => file.endsWith('.json') && pattern.test(file))
    .sort();
  if (files.length === 0) throw new Error(`no case in ${root.pathname} matches ${pattern}`);
  return files.map((file) => JSON.parse(readFileSync(new URL(file, root), 'utf8')) as RecordedCase);
}

/** The parts of a value at these pointers, as a recorded answer keeps them; null for what is not there. */
export function pickParts(value: unknown, pointers: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(pointers.map((pointer) => [pointer, partAt(value, pointer) ?? null]));
}

function partAt(value: unknown, pointer: string): unknown {
  let part = value;
  for (const segment of pointer.split('/').slice(1)) part = childAt(part, segment);
  return part;
}

function childAt(value: unknown, segment: string): unknown {
  const [, member, wanted] = /^\[(\w+)=(.*)\]$/.exec(segment) ?? [];
  if (member !== undefined && Array.isArray(value)) {
    return value.find((element) => isObject(element) && element[member] === wanted);
  }
  if (Array.isArray(value)) return value[Number(segment)];
  return isObject(value) ? value[segment.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
}
