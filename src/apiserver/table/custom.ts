/** Tables of custom kinds: the name, then the columns that the kind declares by JSONPath, or the age alone. */
import type { Kind, PrinterColumn } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import {
  ageColumn,
  ageOf,
  agoOf,
  type Cell,
  type Column,
  nameColumn,
  type TableKind,
} from '#apiserver/table/columns.ts';
import { compileJsonPath, type JsonPath } from '#apiserver/table/json-path.ts';

const tables = new WeakMap<Kind, TableKind>();

export function customTable(kind: Kind): TableKind {
  const known = tables.get(kind);
  if (known) return known;
  const table = kind.columns.length === 0 ? plainTable : declaredTable(kind.columns);
  tables.set(kind, table);
  return table;
}

const plainTable: TableKind = {
  columns: [nameColumn, { ...ageColumn, type: 'date' }],
  row: (object, now) => ({ cells: [object.metadata.name ?? '', ageOf(object, now)] }),
};

function declaredTable(declared: readonly PrinterColumn[]): TableKind {
  const paths = declared.map(({ jsonPath, type }) => ({ find: compileJsonPath(jsonPath), type }));
  return {
    columns: [nameColumn, ...declared.map(columnOf)],
    row: (object: KubeObject, now: number) => ({
      cells: [object.metadata.name ?? '', ...paths.map(({ find, type }) => cellOf(find, type, { object, now }))],
    }),
  };
}

function columnOf({ name, type, jsonPath, description, format = '', priority = 0 }: PrinterColumn): Column {
  return { name, type, format, description: description ?? `The field ${jsonPath}.`, priority };
}

/** Null when there is nothing, or nothing of the column's type. */
function cellOf(
  find: JsonPath,
  type: PrinterColumn['type'],
  { object, now }: { object: KubeObject; now: number },
): Cell {
  // A path that finds several things shows the first, as in Kubernetes.
  const [first] = find(object);
  if (first === undefined || first === null) return null;
  switch (type) {
    case 'integer':
      return typeof first === 'number' ? Math.trunc(first) : null;
    case 'number':
      return typeof first === 'number' ? first : null;
    case 'boolean':
      return typeof first === 'boolean' ? first : null;
    case 'date':
      return typeof first === 'string' ? dateText(first, now) : null;
    default:
      return textOf(first);
  }
}

function dateText(time: string, now: number): string {
  return parseTime(time) === undefined ? '<invalid>' : agoOf(time, now);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
