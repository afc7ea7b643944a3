/**
 * What is known of a variable's values beyond their type: how large they may be, which decides what an expression may
 * cost at most. Sizes come from schemas and from the largest request that a server takes.
 */
import { BOOL, type CelType, DOUBLE, DYN, INT, listType, mapType, STRING, structType } from '#kube/cel/types.ts';

/** Bytes of the largest request. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;

export interface DeclType {
  readonly type: CelType;
  /** Elements, entries or letters at most; 0 for what has no size. */
  readonly maxElements: number;
  /** Bytes that the smallest value takes in JSON. */
  readonly minBytes: number;
  /** Of elements or of values. */
  readonly item?: DeclType | undefined;
  readonly key?: DeclType | undefined;
  /** Of an object, by the names that expressions use. */
  readonly fields?: ReadonlyMap<string, DeclType> | undefined;
}

export function simpleDecl(type: CelType, minBytes: number, maxElements = 0): DeclType {
  return { type, minBytes, maxElements };
}

export const BOOL_DECL = simpleDecl(BOOL, 4);
export const INT_DECL = simpleDecl(INT, 1);
export const DOUBLE_DECL = simpleDecl(DOUBLE, 1);
/** A text that nothing limits but the size of a request. */
export const STRING_DECL = simpleDecl(STRING, 2, MAX_REQUEST_BYTES - 2);
/** Anything: found out when it is there. */
export const DYN_DECL = simpleDecl(DYN, 1, MAX_REQUEST_BYTES - 2);

export function listDecl(item: DeclType, maxElements?: number): DeclType {
  const most = maxElements ?? Math.floor((MAX_REQUEST_BYTES - 2) / (item.minBytes + 1));
  return { type: listType(item.type), minBytes: 2, maxElements: most, item };
}

/** With texts as keys. */
export function mapDecl(value: DeclType, maxElements?: number): DeclType {
  const most = maxElements ?? Math.floor((MAX_REQUEST_BYTES - 2) / (value.minBytes + 6));
  return { type: mapType(STRING, value.type), minBytes: 2, maxElements: most, item: value, key: simpleDecl(STRING, 2) };
}

export function objectDecl(name: string, fields: ReadonlyMap<string, DeclType>, minBytes = 2): DeclType {
  const types = new Map([...fields].map(([field, decl]) => [field, decl.type]));
  return { type: structType(name, types), minBytes, maxElements: 0, fields };
}
