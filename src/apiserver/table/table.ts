/** Tables of `kubectl get`: which columns a kind has and what stands in them. */
import type { KubeObject } from '#kube/object.ts';
import { resourceOf } from '#kube/kind.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { builtinTables } from '#apiserver/table/builtin.ts';
import type { Cell, Column, TableKind } from '#apiserver/table/columns.ts';
import { customTable } from '#apiserver/table/custom.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableContext {
  readonly now: number;
  readonly include: IncludeObject;
  /** `meta.k8s.io/v1`, of the metadata beside each row. */
  readonly apiVersion: string;
}

export interface Row {
  readonly cells: readonly Cell[];
  readonly conditions?: readonly object[];
  readonly object: object | null;
}

export interface TableBody {
  readonly columnDefinitions: readonly Column[];
  readonly rows: readonly Row[];
}

export function tableOf(served: ServedKind, objects: readonly KubeObject[], context: TableContext): TableBody {
  const table = tableKindOf(served);
  const rows = objects.map((object) => ({ ...table.row(object, context.now), ...companion(object, context) }));
  return { columnDefinitions: table.columns, rows };
}

/** A view of a built-in kind shows the table of the kind itself, one of a custom kind that of its own version. */
function tableKindOf({ kind, storedAs, conversion }: ServedKind): TableKind {
  const table = builtinTables.get(resourceOf(storedAs));
  if (!table) return customTable(kind);
  if (!conversion) return table;
  return { columns: table.columns, row: (object, now) => table.row(conversion.toStored(object), now) };
}

function companion(object: KubeObject, { include, apiVersion }: TableContext): { object: object | null } {
  if (include === 'None') return { object: null };
  if (include === 'Object') return { object };
  return { object: { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata } };
}
