/**
 * The difference between two objects as Knative's answers show it: one block per value that differs, with the path in
 * Go's names, the old value and the new.
 *
 *     *{v1.RevisionSpec}.TimeoutSeconds:
 *             -: "300"
 *             +: "9"
 *
 * A star means that the value stands behind a pointer. Whole structures are shown as JSON, where Knative has Go's own
 * notation.
 */
import { deepEqual, isObject } from '#base/json.ts';
import type { Field, Shape, Struct } from '#knative/admission/wire/shape.ts';

/** Go names that are not simply the JSON name with a capital. */
const GO_NAMES: Readonly<Record<string, string>> = {
  metadata: 'ObjectMeta',
  url: 'URL',
  uid: 'UID',
  ip: 'IP',
  apiVersion: 'APIVersion',
  httpGet: 'HTTPGet',
  httpHeaders: 'HTTPHeaders',
  tcpSocket: 'TCPSocket',
  grpc: 'GRPC',
  tty: 'TTY',
  dnsPolicy: 'DNSPolicy',
  dnsConfig: 'DNSConfig',
  fsGroup: 'FSGroup',
};

interface Step {
  readonly path: string;
  /** The value stands behind a pointer. */
  readonly isPointer: boolean;
}

/** All differences between [old, new], each block ended by a line break; `root` is how the path begins. */
export function shortDiff(shape: Struct, [before, after]: readonly [unknown, unknown], root: string): string {
  return diffStruct(shape, [before, after], root).join('');
}

type Pair = readonly [unknown, unknown];

function diffStruct(shape: Struct, [before, after]: Pair, path: string): string[] {
  const [left, right] = [before ?? {}, after ?? {}];
  if (!isObject(left) || !isObject(right)) return [block({ path, isPointer: false }, [before, after])];
  return Object.entries(shape.fields).flatMap(([name, field]) => {
    const pair: Pair = [left[name], right[name]];
    return deepEqual(...pair) ? [] : diffField(field, pair, `${path}${embedding(field)}.${goName(name)}`);
  });
}

function embedding({ embeddedIn }: Field): string {
  return embeddedIn === undefined ? '' : `.${embeddedIn}`;
}

function goName(name: string): string {
  return GO_NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

function diffField({ shape, presence }: Field, pair: Pair, path: string): string[] {
  const isPointer = presence === 'pointer';
  // A pointer to nothing has no inside to compare.
  if (isPointer && pair.includes(undefined)) return [block({ path, isPointer: false }, pair)];
  return diff(shape, pair, { path, isPointer });
}

function diff(shape: Shape, pair: Pair, step: Step): string[] {
  const { path } = step;
  if (shape.kind === 'struct') return diffStruct(shape, pair, path);
  if (shape.kind === 'list') return diffList(shape.items, pair, path);
  if (shape.kind === 'map') return diffMap(shape.items, pair, path);
  return [block(step, pair)];
}

function diffList(items: Shape, pair: Pair, path: string): string[] {
  const [left, right] = pair.map((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  if (!left || !right || pair.includes(undefined)) return [block({ path, isPointer: false }, pair)];
  const length = Math.max(left.length, right.length);
  return Array.from({ length }, (_, index) => {
    if (index >= left.length)
      return [block({ path: `${path}[?->${index}]`, isPointer: false }, [undefined, right[index]])];
    if (index >= right.length)
      return [block({ path: `${path}[${index}->?]`, isPointer: false }, [left[index], undefined])];
    const entries: Pair = [left[index], right[index]];
    return deepEqual(...entries) ? [] : diff(items, entries, { path: `${path}[${index}]`, isPointer: false });
  }).flat();
}

function diffMap(items: Shape, [before, after]: Pair, path: string): string[] {
  if (!isObject(before) || !isObject(after)) return [block({ path, isPointer: false }, [before, after])];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const pair: Pair = [before[key], after[key]];
    if (deepEqual(...pair)) return [];
    const step = { path: `${path}[${JSON.stringify(key)}]`, isPointer: false };
    return pair.includes(undefined) ? [present(step, pair)] : diff(items, pair, step);
  });
}

function block({ path, isPointer }: Step, [before, after]: Pair): string {
  return `${isPointer ? '*' : ''}${path}:\n\t-: "${show(before)}"\n\t+: "${show(after)}"\n`;
}

/** A map's entry that only one side has: only that side is shown. */
function present({ path }: Step, [before, after]: Pair): string {
  return before === undefined ? `${path}:\n\t+: "${show(after)}"\n` : `${path}:\n\t-: "${show(before)}"\n`;
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'nil';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
