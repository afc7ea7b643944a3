/** Tables of the built-in kinds, by resource. */
import type { TableKind } from '#apiserver/table/columns.ts';

export const builtinTables: ReadonlyMap<string, TableKind> = new Map<string, TableKind>();
