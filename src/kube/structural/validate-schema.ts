/**
 * Whether a value fits a schema, in the words of Kubernetes' OpenAPI validation, which clients and people match.
 *
 * Checks of one value come in a fixed order: its type, the alternatives (anyOf, oneOf, allOf, not), then what its own
 * type allows, then `enum`, then its members. Members are visited in the order of the schema, free ones in that of the
 * object. On an update, what did not change is not held against the writer (ratcheting; see `correlation.ts`).
 *
 * Untrusted input: the recursion is as deep as the schema; lengths count code points; patterns are RE2, and all that
 * are matched against one object share a budget.
 */
import { deepEqual, getMember, isObject } from '#base/json.ts';
import { renderValue } from '#kube/field-error.ts';
import { goSyntax } from '#kube/go-text.ts';
import { ParseError } from '#kube/parse-error.ts';
import { compilePattern, type MatchBudget, MatchTooCostly } from '#kube/re2.ts';
import type { Correlation } from '#kube/structural/correlation.ts';
import { checkFormat, isKnownFormat } from '#kube/formats.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';
import { checkNumber } from '#kube/structural/number-checks.ts';
import {
  invalidFinding,
  requiredFinding,
  SchemaResult,
  typeFinding,
  type Finding,
} from '#kube/structural/schema-result.ts';

/** Work of all pattern matches of one object (see `re2.ts`): two seconds in the worst case that we know. */
const MATCH_WORK_PER_OBJECT = 64_000_000;

interface Place {
  readonly path: string;
  readonly correlation: Correlation | undefined;
  readonly budget: MatchBudget;
}

/** What is wrong with the value; `correlation` is that of an update. */
export function schemaFindings(schema: JsonSchema, value: unknown, correlation?: Correlation): readonly Finding[] {
  const budget = { left: MATCH_WORK_PER_OBJECT };
  return check(schema, value, { path: '', correlation, budget }).findings;
}

function check(schema: JsonSchema, value: unknown, place: Place): SchemaResult {
  const result = checkValue(schema, value, place);
  if (!result.isValid && place.correlation?.isUnchanged() === true) result.forgive();
  return result;
}

function checkValue(schema: JsonSchema, value: unknown, place: Place): SchemaResult {
  const result = new SchemaResult();
  if (value === null) {
    if (expectedTypes(schema).length > 0 && !schema.nullable) {
      result.add(typeFinding(place.path, expectedTypes(schema).join(','), 'null'));
    } else result.checks += 1;
    checkEnum(schema, value, place.path, result);
    return result;
  }
  checkType(schema, value, place.path, result);
  checkAlternatives(schema, value, place, result);
  checkContent(schema, value, place, result);
  result.checks += 1;
  return result;
}

function checkContent(schema: JsonSchema, value: unknown, place: Place, result: SchemaResult): void {
  if (typeof value === 'string') checkText(schema, value, place, result);
  if (typeof value === 'number') {
    result.checks += 2;
    for (const finding of checkNumber(schema, value, place.path)) result.add(finding);
  }
  if (Array.isArray(value)) checkElements(schema, value, place, result);
  result.checks += 1;
  checkEnum(schema, value, place.path, result);
  if (isObject(value)) checkMembers(schema, value, place, result);
}

/** The JSON type of a value, in which whole numbers are a type of their own. */
function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return isWhole(value) ? 'integer' : 'number';
  return typeof value;
}

/** Go reads what does not fit in 64 bits as a floating point number. */
function isWhole(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

function expectedTypes(schema: JsonSchema): readonly string[] {
  if (schema.intOrString) return ['integer', 'string'];
  return schema.type === '' ? [] : [schema.type];
}

function checkType(schema: JsonSchema, value: unknown, path: string, result: SchemaResult): void {
  const expected = expectedTypes(schema);
  const format = isKnownFormat(schema.format) ? schema.format : '';
  if (expected.length === 0 && format === '') return;
  result.checks += 1;
  const actual = jsonType(value);
  const isOfType = expected.includes(actual) || (actual === 'integer' && expected.includes('number'));
  const isTextLike = actual === 'string' || actual === 'array';
  if (format !== '' && !isTextLike && !isOfType) result.add(typeFinding(path, format, goFormat(actual)));
  else if (format !== '' && isTextLike && !expected.includes('number') && !expected.includes('integer')) {
    // What has a format is left to the format, which looks at strings only.
    result.checks += 1;
  } else if (isOfType) result.checks += 1;
  else result.add(typeFinding(path, expected.join(','), actual));
}

function goFormat(type: string): string {
  return { integer: 'int64', number: 'float64' }[type] ?? '';
}

function checkText(schema: JsonSchema, text: string, place: Place, result: SchemaResult): void {
  const { path } = place;
  result.checks += 1;
  const finding = textFinding(schema, text, place);
  if (finding) result.add(finding);
  if (!isKnownFormat(schema.format)) return;
  result.checks += 1;
  if (!checkFormat(schema.format, text)) result.add(typeFinding(path, schema.format, text));
}

/** The first of length and pattern that does not hold. */
function textFinding(schema: JsonSchema, text: string, { path, budget }: Place): Finding | undefined {
  const { maxLength, minLength, pattern } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : runeCount(text);
  if (maxLength !== undefined && length > maxLength) {
    const message = `Too long: may not be more than ${maxLength} bytes`;
    const said = `${path} in body should be at most ${maxLength} chars long`;
    return { field: path, reason: 'FieldValueTooLong', message, text: said };
  }
  if (minLength !== undefined && length < minLength) {
    return invalidFinding(path, JSON.stringify(text), `${path} in body should be at least ${minLength} chars long`);
  }
  const mismatch = pattern === '' ? undefined : patternMismatch(pattern, text, budget);
  if (mismatch === undefined) return undefined;
  return invalidFinding(path, JSON.stringify(text), `${path} in body should match '${mismatch}'`);
}

function patternMismatch(pattern: string, text: string, budget: MatchBudget): string | undefined {
  const compiled = compilePattern(pattern);
  if (compiled instanceof ParseError) return `${pattern}, but pattern is invalid: ${compiled.message}`;
  try {
    return compiled.occursIn(text, budget) ? undefined : pattern;
  } catch (error) {
    if (error instanceof MatchTooCostly) return `${pattern}, but ${error.message}`;
    throw error;
  }
}

/** Go counts code points; a lone surrogate is one. */
function runeCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function checkEnum(schema: JsonSchema, value: unknown, path: string, result: SchemaResult): void {
  if (schema.enum.length === 0 || schema.enum.some((one) => one !== null && deepEqual(one, value))) return;
  const supported = schema.enum.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)));
  const shown = typeof value === 'object' && value !== null ? goSyntax(value) : renderNullable(value);
  result.add({
    field: path,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${shown}: supported values: ${supported.join(', ')}`,
    text: `${path} in body should be one of ${JSON.stringify(schema.enum)}`,
  });
}

function renderNullable(value: unknown): string {
  return value === null ? '"null"' : renderValue(value);
}

function checkElements(schema: JsonSchema, list: readonly unknown[], place: Place, result: SchemaResult): void {
  const { path } = place;
  const { items, maxItems, minItems } = schema;
  if (items !== undefined) {
    list.forEach((element, position) => {
      const correlation = place.correlation?.element(position);
      result.merge(check(items, element, { ...place, path: `${path}[${position}]`, correlation }));
    });
  }
  if (minItems !== undefined && list.length < minItems) {
    result.add(invalidFinding(path, String(list.length), `${path} in body should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && list.length > maxItems) result.add(tooMany(path, list.length, [maxItems, 'items']));
  if (schema.uniqueItems && hasRepeated(list)) {
    result.add(invalidFinding(path, '""', `${path} in body shouldn't contain duplicates`));
  }
  result.checks += 2;
}

function tooMany(path: string, count: number, [limit, what]: readonly [number, string]): Finding {
  return {
    field: path,
    reason: 'FieldValueTooMany',
    message: `Too many: ${count}: must have at most ${limit} items`,
    text: `${path} in body should have at most ${limit} ${what}`,
  };
}

function hasRepeated(list: readonly unknown[]): boolean {
  return new Set(list.map((element) => JSON.stringify(element))).size < list.length;
}

type Members = Readonly<Record<string, unknown>>;

function checkMembers(schema: JsonSchema, object: Members, place: Place, result: SchemaResult): void {
  const { path } = place;
  result.checks += 1;
  checkMemberCount(schema, object, path, result);
  const { additionalProperties: additional } = schema;
  for (const name of Object.keys(object)) {
    if (schema.properties.has(name)) continue;
    if (additional === false) {
      const said = `${path}.${name} in body is a forbidden property`;
      result.add(invalidFinding(path, JSON.stringify(name), said));
    } else checkFreeMember(schema, { name, value: object[name] }, place, result);
  }
  for (const [name, member] of schema.properties) {
    if (!Object.hasOwn(object, name)) continue;
    result.merge(check(member, object[name], memberPlace(place, name, path === '' ? name : `${path}.${name}`)));
  }
  for (const name of schema.required) {
    if (getMember(object, name) === undefined) result.add(requiredFinding(path, name));
  }
}

function checkFreeMember(
  schema: JsonSchema,
  member: { readonly name: string; readonly value: unknown },
  place: Place,
  result: SchemaResult,
): void {
  const type = additionalSchema(schema);
  if (type === undefined) return;
  result.merge(check(type, member.value, memberPlace(place, member.name, `${place.path}.${member.name}`)));
}

function memberPlace(place: Place, name: string, path: string): Place {
  // Changes of apiVersion and kind cannot be seen: both objects are of the version asked for.
  const isType = place.path === '' && (name === 'apiVersion' || name === 'kind');
  return { ...place, path, correlation: isType ? undefined : place.correlation?.member(name) };
}

function checkMemberCount(schema: JsonSchema, object: Members, path: string, result: SchemaResult): void {
  const { minProperties, maxProperties } = schema;
  const count = Object.keys(object).length;
  if (minProperties !== undefined && count < minProperties) {
    const said = `${path} in body should have at least ${minProperties} properties`;
    result.add(invalidFinding(path, String(count), said));
  }
  if (maxProperties !== undefined && count > maxProperties) {
    result.add(tooMany(path, count, [maxProperties, 'properties']));
  }
}

function checkAlternatives(schema: JsonSchema, value: unknown, place: Place, result: SchemaResult): void {
  // What alternatives say is not forgiven, however deep below them it is found.
  const inside = { ...place, correlation: undefined };
  const branches = (schemas: readonly JsonSchema[]) => schemas.map((one) => checkValue(one, value, inside));
  if (schema.anyOf.length > 0) checkAnyOf(branches, schema.anyOf, place.path, result);
  if (schema.oneOf.length > 0) checkOneOf(branches(schema.oneOf), place.path, result);
  if (schema.allOf.length > 0) checkAllOf(branches(schema.allOf), place.path, result);
  if (schema.not && checkValue(schema.not, value, inside).isValid) {
    result.add(junctorFinding(`${JSON.stringify(place.path)} must not validate the schema (not)`));
  }
  result.checks += 2;
}

/** Errors of alternatives are held against the object as a whole. */
function junctorFinding(text: string): Finding {
  return invalidFinding('', '""', text);
}

type Branches = (schemas: readonly JsonSchema[]) => SchemaResult[];

function checkAnyOf(branches: Branches, schemas: readonly JsonSchema[], path: string, result: SchemaResult): void {
  const failures: SchemaResult[] = [];
  for (const one of schemas) {
    const [branch = new SchemaResult()] = branches([one]);
    if (branch.isValid) {
      result.merge(branch);
      return;
    }
    failures.push(branch);
  }
  result.add(junctorFinding(`${JSON.stringify(path)} must validate at least one schema (anyOf)`));
  mergeBest(failures, result);
}

function checkOneOf(branches: readonly SchemaResult[], path: string, result: SchemaResult): void {
  const [first, ...others] = branches.filter((branch) => branch.isValid);
  if (first !== undefined && others.length === 0) {
    result.merge(first);
    return;
  }
  const found = first === undefined ? 'Found none valid' : `Found ${others.length + 1} valid alternatives`;
  result.add(junctorFinding(`${JSON.stringify(path)} must validate one and only one schema (oneOf). ${found}`));
  if (first === undefined) mergeBest(branches, result);
}

/** The errors of the branch in which most was checked, the first of equals. */
function mergeBest(branches: readonly SchemaResult[], result: SchemaResult): void {
  let best: SchemaResult | undefined;
  for (const branch of branches) if (best === undefined || branch.checks > best.checks) best = branch;
  if (best) result.merge(best);
}

function checkAllOf(branches: readonly SchemaResult[], path: string, result: SchemaResult): void {
  for (const branch of branches) result.merge(branch);
  const valid = branches.filter((branch) => branch.isValid).length;
  if (valid === branches.length) return;
  const none = valid === 0 ? '. None validated' : '';
  result.add(junctorFinding(`${JSON.stringify(path)} must validate all the schemas (allOf)${none}`));
}
