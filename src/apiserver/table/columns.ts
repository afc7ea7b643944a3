/** The parts that tables are made of. */
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';

export type Cell = string | number | boolean | null;

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** 0 is always shown; more only with `-o wide`. */
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly Cell[];
  readonly conditions?: readonly object[];
}

export interface TableKind {
  readonly columns: readonly Column[];
  row(object: KubeObject, now: number): TableRow;
}

/** Types a table by its kind; tables of all kinds are kept together. */
export function tableFor<T extends KubeObject>(
  _kind: Kind<T>,
  table: { readonly columns: readonly Column[]; row(object: NoInfer<T>, now: number): TableRow },
): TableKind {
  return table;
}

interface ColumnOptions {
  readonly type?: string;
  readonly format?: string;
  readonly priority?: number;
}

export function column(name: string, description: string, options: ColumnOptions = {}): Column {
  const { type = 'string', format = '', priority = 0 } = options;
  return { name, type, format, description, priority };
}

export function wide(name: string, description: string, options: ColumnOptions = {}): Column {
  return column(name, description, { ...options, priority: 1 });
}

export const nameColumn = column('Name', 'Name of the object.', { format: 'name' });
export const ageColumn = column('Age', 'Time since it was created.');

export const NONE = '<none>';

export function noneIfEmpty(text: string | undefined): string {
  return text === undefined || text === '' ? NONE : text;
}

/** `5m30s`: how long ago an object was created. */
export function ageOf({ metadata }: KubeObject, now: number): string {
  return agoOf(metadata.creationTimestamp, now);
}

/** `time` as the API writes it, or in milliseconds. */
export function agoOf(time: string | number | null | undefined, now: number): string {
  const at = typeof time === 'number' ? time : parseTime(time);
  return at === undefined ? '<unknown>' : humanDuration(now - at);
}

/** How long something took, or has taken so far; nothing before its beginning. */
export function betweenText(from: string | null | undefined, to: string | null | undefined, now: number): string {
  const [start, end] = [parseTime(from), parseTime(to)];
  return start === undefined ? '' : humanDuration((end ?? now) - start);
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** As kubectl shows durations: two units while the first is small, then one. */
function humanDuration(durationMs: number): string {
  if (durationMs < -SECOND) return '<invalid>';
  if (durationMs < 0) return '0s';
  const count = (unit: number) => Math.floor(durationMs / unit);
  const rest = (of: number, unit: number) => Math.floor((durationMs % of) / unit);
  const two = (big: number, small: number, [bigName, smallName]: readonly [string, string]) =>
    rest(big, small) === 0 ? `${count(big)}${bigName}` : `${count(big)}${bigName}${rest(big, small)}${smallName}`;
  if (durationMs < 2 * MINUTE) return `${count(SECOND)}s`;
  if (durationMs < 10 * MINUTE) return two(MINUTE, SECOND, ['m', 's']);
  if (durationMs < 3 * HOUR) return `${count(MINUTE)}m`;
  if (durationMs < 8 * HOUR) return two(HOUR, MINUTE, ['h', 'm']);
  if (durationMs < 2 * DAY) return `${count(HOUR)}h`;
  if (durationMs < 8 * DAY) return two(DAY, HOUR, ['d', 'h']);
  if (durationMs < 2 * YEAR) return `${count(DAY)}d`;
  if (durationMs < 8 * YEAR) return two(YEAR, DAY, ['y', 'd']);
  return `${count(YEAR)}y`;
}

/** `a=b,c=d` in the order of the keys. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? NONE : pairs.map(([key, value]) => `${key}=${value}`).join(',');
}
