/** Lists and maps that say how they merge (x-kubernetes-list-type, x-kubernetes-map-type). */
import {
  child,
  entry,
  type FieldError,
  forbiddenField,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import { printTexts } from '#kube/structural/crd/go-print.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';

const MAP_TYPES = ['atomic', 'granular'];
const LIST_TYPES = ['atomic', 'set', 'map'];

export function mapErrors({ mapType, type }: JsonSchema, path: string): FieldError[] {
  if (mapType === undefined) return [];
  return [
    ...wrongTypeErrors(type, 'object', { path, rule: 'must be object if x-kubernetes-map-type is specified' }),
    ...(MAP_TYPES.includes(mapType)
      ? []
      : [notSupportedField(child(path, 'x-kubernetes-map-type'), mapType, MAP_TYPES)]),
  ];
}

function wrongTypeErrors(
  type: string,
  expected: string,
  { path, rule }: { readonly path: string; readonly rule: string },
): FieldError[] {
  const field = child(path, 'type');
  if (type === expected) return [];
  return [type === '' ? requiredField(field, rule) : invalidField(field, type, rule)];
}

export function listErrors(schema: JsonSchema, path: string): FieldError[] {
  const { listType, type } = schema;
  const rule = 'must be array if x-kubernetes-list-type is specified';
  const isWrongType = listType !== undefined && type !== 'array';
  const isUnknown = listType !== undefined && !LIST_TYPES.includes(listType);
  const field = child(path, 'x-kubernetes-list-type');
  return [
    ...(isWrongType ? wrongTypeErrors(type, 'array', { path, rule }) : setItemErrors(schema, path)),
    ...(isUnknown ? [notSupportedField(field, listType, LIST_TYPES)] : []),
    ...keysWithoutMapErrors(schema, field),
    ...(listType === 'map' ? listMapErrors(schema, path) : []),
    ...identityErrors(schema, path),
  ];
}

/** Values of a set are replaced whole, so they may not merge inside. */
function setItemErrors({ listType, items }: JsonSchema, path: string): FieldError[] {
  if (listType !== 'set' || items === undefined) return [];
  const rule = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const mergesLists = items.type === 'array' && items.listType !== undefined && items.listType !== 'atomic';
  const mergesMaps = items.type === 'object' && items.mapType !== 'atomic';
  const field = child(path, 'items');
  const value = items.listType ?? 'null';
  return [
    ...(mergesLists ? [invalidField(child(field, 'x-kubernetes-list-type'), value, rule)] : []),
    // The value shown is that of the list type, in Kubernetes as here.
    ...(mergesMaps ? [invalidField(child(field, 'x-kubernetes-map-type'), value, rule)] : []),
  ];
}

function keysWithoutMapErrors({ listMapKeys, listType }: JsonSchema, field: string): FieldError[] {
  const rule = 'must be map if x-kubernetes-list-map-keys is non-empty';
  if (listMapKeys.length === 0 || listType === 'map') return [];
  return [listType === undefined ? requiredField(field, rule) : invalidField(field, listType, rule)];
}

function listMapErrors(schema: JsonSchema, path: string): FieldError[] {
  const { items, itemsList, listMapKeys } = schema;
  const field = child(path, 'x-kubernetes-list-map-keys');
  const atItems = child(path, 'items');
  const errors: FieldError[] = [];
  if (listMapKeys.length === 0) {
    errors.push(requiredField(field, 'must not be empty if x-kubernetes-list-type is map'));
  }
  if (items === undefined && itemsList.length === 0) {
    errors.push(requiredField(atItems, 'must have a schema if x-kubernetes-list-type is map'));
  }
  if (items && items.type !== 'object') {
    const rule = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalidField(child(atItems, 'type'), items.type, rule));
  }
  return items?.type === 'object' ? [...errors, ...keyErrors(items, listMapKeys, path)] : errors;
}

function keyErrors(items: JsonSchema, keys: readonly string[], path: string): FieldError[] {
  const field = child(path, 'x-kubernetes-list-map-keys');
  const wrongKeys = (rule: string): FieldError => {
    return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${printTexts(keys)}: ${rule}` };
  };
  return keys.flatMap((key, position) => {
    const property = items.properties.get(key);
    const isCompound = property?.type === 'array' || property?.type === 'object';
    const at = child(entry(child(child(path, 'items'), 'properties'), key), 'type');
    const rule = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    return [
      ...(isCompound ? [invalidField(at, items.type, rule)] : []),
      ...(property ? [] : [wrongKeys('entries must all be names of item properties')]),
      ...(keys.indexOf(key) < position ? [wrongKeys('must not contain duplicate entries')] : []),
    ];
  });
}

/** Elements that are told apart must be there, and so must their keys. */
function identityErrors({ items, listType, listMapKeys }: JsonSchema, path: string): FieldError[] {
  if (items === undefined || (listType !== 'set' && listType !== 'map')) return [];
  const atItems = child(path, 'items');
  const isNull = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
  return [
    ...(items.nullable ? [forbiddenField(child(atItems, 'nullable'), isNull)] : []),
    ...(listType === 'map' ? listMapKeys.flatMap((key) => keyPresenceErrors(items, key, atItems)) : []),
  ];
}

function keyPresenceErrors(items: JsonSchema, key: string, atItems: string): FieldError[] {
  const property = items.properties.get(key);
  if (property === undefined) return [];
  const at = entry(child(atItems, 'properties'), key);
  const mayBeAbsent = !items.required.includes(key) && property.default === undefined;
  const isKey = 'this property is in x-kubernetes-list-map-keys, so it';
  return [
    ...(mayBeAbsent
      ? [requiredField(child(at, 'default'), `${isKey} must have a default or be a required property`)]
      : []),
    ...(property.nullable ? [forbiddenField(child(at, 'nullable'), `${isKey} cannot be nullable`)] : []),
  ];
}
