/**
 * Functions that expressions can call. An overload is written as CEL's documentation writes it:
 *
 *     overload('contains_string', '.contains(string, string): bool', ([text, part]) => …)
 *
 * with a dot before the name where the first parameter is the one that the function is called on. Capital letters are
 * type parameters.
 */
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  mapType,
  NULL,
  opaqueType,
  optionalType,
  STRING,
  TIMESTAMP,
  TYPE,
  typeOfType,
  typeParam,
  UINT,
} from '#kube/cel/types.ts';
import type { Value } from '#kube/cel/values.ts';
import type { Work } from '#kube/cel/work.ts';

/** What goes through its arguments pays for it, unless that is no more than their letters. */
export type Implementation = (args: readonly Value[], work: Work) => Value;

export interface Overload {
  readonly id: string;
  readonly name: string;
  /** Called as `target.name(…)`; the target is the first parameter. */
  readonly isMember: boolean;
  readonly params: readonly CelType[];
  readonly typeParams: readonly string[];
  readonly result: CelType;
  readonly run: Implementation;
}

const TYPES: Readonly<Record<string, CelType>> = {
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  duration: DURATION,
  dyn: DYN,
  int: INT,
  null: NULL,
  string: STRING,
  timestamp: TIMESTAMP,
  type: TYPE,
  uint: UINT,
  Quantity: opaqueType('kubernetes.Quantity'),
  Url: opaqueType('kubernetes.URL'),
  Ip: opaqueType('net.IP'),
  Cidr: opaqueType('net.CIDR'),
  Format: opaqueType('kubernetes.NamedFormat'),
};

export function overload(id: string, signature: string, run: Implementation): Overload {
  const [, dot = '', name = '', params = '', result = ''] = /^(\.?)(\S+?)\((.*)\): (.+)$/.exec(signature) ?? [];
  return {
    id,
    name,
    isMember: dot === '.',
    params: splitParams(params).map(readType),
    typeParams: [...new Set(signature.match(/\b[A-Z]\b/g))],
    result: readType(result),
    run,
  };
}

/** Parameters at commas that are not inside brackets. */
function splitParams(text: string): string[] {
  return text === '' ? [] : text.split(/, (?![^(]*\))/);
}

function readType(text: string): CelType {
  const [, outer, inner = ''] = /^(list|map|optional|type)\((.*)\)$/.exec(text) ?? [];
  const [first = DYN, second = DYN] = outer === undefined ? [] : splitParams(inner).map(readType);
  if (outer === 'list') return listType(first);
  if (outer === 'map') return mapType(first, second);
  if (outer === 'optional') return optionalType(first);
  if (outer === 'type') return typeOfType(first);
  return TYPES[text] ?? typeParam(text);
}

/** Overloads by the name of their function. */
export function byName(overloads: readonly Overload[]): ReadonlyMap<string, readonly Overload[]> {
  const functions = new Map<string, Overload[]>();
  for (const one of overloads) {
    const known = functions.get(one.name);
    if (known) known.push(one);
    else functions.set(one.name, [one]);
  }
  return functions;
}
