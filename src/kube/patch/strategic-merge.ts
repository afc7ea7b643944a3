/**
 * Strategic merge patch: a merge patch that knows from the schema which lists merge, and by which key. It takes
 * Kubernetes' directives:
 *
 *     $patch: delete | replace              a map, or an element of a merging list, goes or is replaced whole
 *     $retainKeys: [names]                  all members that are not named go
 *     $setElementOrder/x: [elements]        the order of the elements of list x, which may not be in the patch
 *     $deleteFromPrimitiveList/x: [values]  values that leave list x
 *
 * The texts of its errors, and which of them are 400, 422 or 500, are those of kube-apiserver 1.33.
 */
import { clone, getMember, isObject, setMember } from '#base/json.ts';
import { goJsonType, goType, goValue } from '#kube/go-text.ts';
import { checkDepth } from '#kube/patch/limits.ts';
import { arrange, keyOf, sameElement } from '#kube/patch/element-order.ts';
import type { Schema } from '#kube/schema.ts';
import { badRequest, plainError, unprocessable } from '#kube/status.ts';

type JsonMap = Record<string, unknown>;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder';
const DELETE_FROM_LIST = '$deleteFromPrimitiveList';

/** A new document; the arguments are not changed. `schema` describes the document. */
export function applyStrategicMerge(schema: Schema, document: Readonly<JsonMap>, patch: unknown): JsonMap {
  if (!isObject(patch)) {
    throw badRequest(`json: cannot unmarshal ${goJsonType(patch)} into Go value of type map[string]interface {}`);
  }
  checkDepth(document, patch);
  return mergeMap(clone(document), clone(patch), schema);
}

/** Merges into `original`, which may be changed, as may `patch`. */
function mergeMap(original: JsonMap, patch: JsonMap, schema: Schema | undefined): JsonMap {
  if (Object.hasOwn(patch, DIRECTIVE)) return obeyDirective(patch);
  retainKeys(original, patch);
  for (const name of Object.keys(patch)) if (name.startsWith(SET_ORDER)) mergeOrdered(original, patch, schema, name);
  for (const [name, value] of Object.entries(patch)) mergeMember(original, name, value, schema);
  return original;
}

function obeyDirective(patch: JsonMap): JsonMap {
  const directive = patch[DIRECTIVE];
  if (directive === 'delete') return {};
  if (directive !== 'replace') throw unknownDirective(patch);
  delete patch[DIRECTIVE];
  return newValue(patch) as JsonMap;
}

function unknownDirective(patch: JsonMap): Error {
  return plainError(`unknown patch type: ${goValue(patch[DIRECTIVE])} in map: ${goValue(patch)}`);
}

function retainKeys(original: JsonMap, patch: JsonMap): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return;
  const names = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(names)) throw badRequest('invalid patch format of retainKeys');
  const kept = new Set<unknown>(names);
  for (const [name, value] of Object.entries(patch)) {
    const isFree = value === null || name.startsWith(DELETE_FROM_LIST) || name.startsWith(SET_ORDER);
    if (!isFree && !kept.has(name)) throw badRequest('invalid patch format of retainKeys');
  }
  for (const name of Object.keys(original)) if (!kept.has(name)) delete original[name];
}

function mergeMember(original: JsonMap, name: string, value: unknown, schema: Schema | undefined): void {
  const isDeleteList = name.startsWith(DELETE_FROM_LIST);
  const member = isDeleteList ? nameAfter(name, 'invalid patch format of primitive list') : name;
  if (value === null) {
    delete original[member];
    return;
  }
  const current = getMember(original, member);
  if (sameContainer(current, value)) {
    const field = fieldOf(schema, member);
    setMember(original, member, mergeContainers(current, value, { field, isDeleteList }));
  } else if (!isDeleteList) {
    setOrDelete(original, member, newValue(value));
  }
}

function nameAfter(directive: string, problem: string): string {
  const slash = directive.indexOf('/');
  const prefix = directive.startsWith(SET_ORDER) ? SET_ORDER : DELETE_FROM_LIST;
  if (directive.slice(0, slash) !== prefix) throw badRequest(problem);
  return directive.slice(slash + 1);
}

function sameContainer(current: unknown, value: unknown): boolean {
  return (Array.isArray(current) && Array.isArray(value)) || (isObject(current) && isObject(value));
}

function setOrDelete(target: JsonMap, name: string, value: unknown): void {
  if (value === undefined) delete target[name];
  else setMember(target, name, value);
}

interface FieldMerge {
  readonly field: Schema | undefined;
  readonly isDeleteList: boolean;
}

function mergeContainers(current: unknown, value: unknown, { field, isDeleteList }: FieldMerge): unknown {
  const strategy = strategyOf(field);
  if (isObject(current) && isObject(value)) {
    return strategy === 'replace' ? newValue(value) : mergeMap(current, value, field);
  }
  const [left, right] = [current as unknown[], value as unknown[]];
  if (isDeleteList && elementsAreMaps(left, right) === false) {
    const leaving = new Set(right);
    return left.filter((entry) => !leaving.has(entry));
  }
  return strategy === 'merge' || isDeleteList ? mergeList(left, right, field) : newValue(right);
}

/** `merge`, `replace` or nothing; `retainKeys` beside it is of no matter to the server. */
function strategyOf(field: Schema | undefined): string | undefined {
  return field?.patchStrategy?.split(',').find((strategy) => strategy !== 'retainKeys');
}

/** A member's schema; free maps have one for all members. A known object has no other members. */
function fieldOf(schema: Schema | undefined, name: string): Schema | undefined {
  if (schema?.properties === undefined) return schema?.items;
  const field = getMember(schema.properties, name) as Schema | undefined;
  if (field !== undefined) return field;
  const type = schema.name?.slice(schema.name.lastIndexOf('.') + 1) ?? '';
  throw plainError(`unable to find api field in struct ${type} for the json field "${name}"`);
}

function mergeList(original: unknown[], patch: unknown[], field: Schema | undefined): unknown[] {
  const areMaps = elementsAreMaps(original, patch);
  if (areMaps === undefined) return original;
  if (!areMaps) return arrange([...new Set([...original, ...patch])], { order: patch, formerOrder: original });
  const mergeKey = field?.patchMergeKey;
  if (mergeKey === undefined) throw plainError('cannot merge lists without merge key for struct');
  const [left, right] = obeyElementDirectives(original as JsonMap[], patch as JsonMap[], mergeKey);
  const merged = mergeElements([...left], right, { mergeKey, schema: field?.items });
  return arrange(merged, { order: right, formerOrder: merged.slice(0, left.length), mergeKey });
}

/** True for lists of maps, false for lists of values; undefined when both are empty. */
function elementsAreMaps(...lists: [unknown[], unknown[]]): boolean | undefined {
  const entries = [...lists[0], ...lists[1]];
  const [first] = entries;
  if (first === undefined) return undefined;
  if (Array.isArray(first)) throw unprocessable();
  if (entries.some((entry) => goType(entry) !== goType(first))) {
    throw plainError(`list element types are not identical: ${goValue(lists)}`);
  }
  return isObject(first);
}

/** Carries out `$patch` in elements: what is left of both lists. */
function obeyElementDirectives(
  original: JsonMap[],
  patch: JsonMap[],
  mergeKey: string,
): [original: JsonMap[], patch: JsonMap[]] {
  const plain = patch.filter((element) => !Object.hasOwn(element, DIRECTIVE));
  const directed = patch.filter((element) => Object.hasOwn(element, DIRECTIVE));
  const deleted = new Set<unknown>();
  for (const element of directed) {
    const directive = element[DIRECTIVE];
    if (directive === 'merge') throw plainError('merging lists cannot yet be specified in the patch');
    if (directive !== 'delete' && directive !== 'replace') throw unknownDirective(element);
    if (directive === 'delete') deleted.add(keyOf(element, mergeKey));
  }
  const left = original.filter((candidate) => !deleted.has(getMember(candidate, mergeKey)));
  return directed.some((element) => element[DIRECTIVE] === 'replace')
    ? [newValue(plain) as JsonMap[], []]
    : [left, plain];
}

interface ElementMerge {
  readonly mergeKey: string;
  readonly schema: Schema | undefined;
}

/** Elements are looked up by their keys: both lists may be as long as a body lets them. */
function mergeElements(merged: JsonMap[], patch: JsonMap[], { mergeKey, schema }: ElementMerge): JsonMap[] {
  const places = new Map<unknown, number>();
  const note = (element: JsonMap, place: number) => {
    const key = getMember(element, mergeKey);
    if (!places.has(key)) places.set(key, place);
  };
  merged.forEach(note);
  for (const element of patch) {
    const place = places.get(keyOf(element, mergeKey));
    const current = place === undefined ? undefined : merged[place];
    if (place === undefined || current === undefined) {
      const added = newValue(element) as JsonMap;
      note(added, merged.push(added) - 1);
    } else merged[place] = mergeMap(current, element, schema);
  }
  return merged;
}

/** Merges the list that a `$setElementOrder` is about, and takes both out of the patch. */
function mergeOrdered(original: JsonMap, patch: JsonMap, schema: Schema | undefined, directive: string): void {
  const order = listIn(patch, directive) ?? [];
  delete patch[directive];
  const name = nameAfter(directive, 'invalid patch format of setElementOrder list');
  const current = listIn(original, name);
  const changes = listIn(patch, name);
  const field = fieldOf(schema, name);
  const mergeKey = field?.patchMergeKey;
  checkOrder(changes ?? [], order, mergeKey);
  if (current === undefined && changes === undefined) return;
  const formerOrder = formerOrderOf(current ?? [], changes ?? [], mergeKey);
  const merged = mergeBeforeOrder(current, changes, field);
  setMember(original, name, arrange(merged, { order, formerOrder, mergeKey }));
  delete patch[name];
}

function mergeBeforeOrder(
  current: unknown[] | undefined,
  changes: unknown[] | undefined,
  field: Schema | undefined,
): unknown[] {
  if (changes === undefined) return current ?? [];
  if (current === undefined || strategyOf(field) !== 'merge') return newValue(changes) as unknown[];
  return mergeList(current, changes, field);
}

/**
 * The order in which elements without a place in the patch's order are kept. Where a patch deletes elements and adds
 * others, Kubernetes takes the added ones to have stood in the places that became free at the end of the list.
 */
function formerOrderOf(current: unknown[], changes: unknown[], mergeKey: string | undefined): unknown[] {
  if (mergeKey === undefined) return current;
  const isDeletion = (element: unknown) => isObject(element) && getMember(element, DIRECTIVE) === 'delete';
  const namesOf = (elements: unknown[]) => new Set(elements.map((element) => keyOf(element, mergeKey)));
  const deleted = namesOf(changes.filter(isDeletion));
  const left = current.filter((element) => !deleted.has(keyOf(element, mergeKey)));
  const names = namesOf(left);
  const isAddition = (element: unknown) => isObject(element) && !Object.hasOwn(element, DIRECTIVE);
  const added = changes.filter((element) => isAddition(element) && !names.has(keyOf(element, mergeKey)));
  return [...left, ...added].slice(0, current.length);
}

function listIn(map: JsonMap, name: string): unknown[] | undefined {
  const value = getMember(map, name);
  if (value === undefined || Array.isArray(value)) return value;
  throw plainError(`expected a []interface {}, but received a ${goType(value)}`);
}

/** Elements of the patch, but for those that only say `$patch`, must be in the order list, and in that order. */
function checkOrder(patch: unknown[], order: unknown[], mergeKey: string | undefined): void {
  if (patch.length === 0 || order.length === 0) return;
  let position = 0;
  for (const element of patch) {
    const directive = isObject(element) ? getMember(element, DIRECTIVE) : undefined;
    if (directive === 'delete' || (directive !== undefined && position < order.length)) continue;
    while (position < order.length && !sameElement(element, order[position], mergeKey)) position += 1;
    if (position >= order.length) {
      const text = `The order in patch list:\n${goValue(patch)}\n doesn't match ${SET_ORDER} list:\n${goValue(order)}\n`;
      throw plainError(text);
    }
    position += 1;
  }
}

/** A value that is new to the document: nulls and directives in it have nothing to work on. */
function newValue(value: unknown): unknown {
  return withoutDirectives(withoutNulls(value));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JsonMap = {};
  for (const [name, member] of Object.entries(value)) if (member !== null) setMember(kept, name, withoutNulls(member));
  return kept;
}

/** The same without directives; undefined for a map with `$patch`, which has nothing to work on. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((element) => element !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const kept: JsonMap = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === RETAIN_KEYS || name.startsWith(SET_ORDER) || name.startsWith(DELETE_FROM_LIST)) continue;
    const rest = withoutDirectives(member);
    if (rest !== undefined) setMember(kept, name, rest);
  }
  return kept;
}
