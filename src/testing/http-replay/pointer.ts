/** JSON pointers, with `[key=value]` for the first element of a list that has that member. */
import { isObject } from '#base/json.ts';

export function partAt(value: unknown, pointer: string): unknown {
  let part = value;
  for (const segment of pointer.split('/').slice(1)) part = childAt(part, segment);
  return part;
}

function childAt(value: unknown, segment: string): unknown {
  if (!Array.isArray(value)) return isObject(value) ? value[unescaped(segment)] : undefined;
  const [, member, wanted] = /^\[(\w+)=(.*)\]$/.exec(segment) ?? [];
  if (member === undefined) return value[Number(segment)];
  return value.find((element) => isObject(element) && String(element[member]) === wanted);
}

function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

export function pointerTo(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** `*` stands for one segment. */
export function matchesPointer(pattern: string, pointer: string): boolean {
  const [wanted, given] = [pattern.split('/'), pointer.split('/')];
  return wanted.length === given.length && wanted.every((segment, at) => segment === '*' || segment === given[at]);
}
