/**
 * Rules (x-kubernetes-validations) that do not compile, that may cost more than an API server wants to pay, or that
 * look at old values where values cannot be told apart. Costs are estimates for the largest objects that the schema
 * lets in, so a list without `maxItems` makes its rules dear.
 */
import { child, entry, type FieldError, forbiddenField, index, invalidField } from '#kube/field-error.ts';
import { MAX_REQUEST_BYTES } from '#kube/cel/decl-type.ts';
import { printRule } from '#kube/structural/crd/go-print.ts';
import { additionalSchema, type JsonSchema, type ValidationRule } from '#kube/structural/json-schema.ts';
import { type CompiledRule, compileRules } from '#kube/structural/rules/compile-rules.ts';
import { declare } from '#kube/structural/rules/declare.ts';

/** What one expression may cost, for all the places that it is evaluated at. */
const MAX_RULE_COST = 10_000_000;
/** What all expressions of a schema may cost together. */
const MAX_SCHEMA_COST = 100_000_000;
/** Expressions that are named when the whole costs too much. */
const MAX_NAMED = 4;
const MOST = 2 ** 64;

export interface RuleChecks {
  /** Errors of the schema that were found already: rules around them are not looked at. */
  readonly schemaErrors: readonly FieldError[];
  /** A schema that was accepted before is not held to the limits of single expressions again. */
  readonly isKnown: boolean;
}

export function ruleErrors(schema: JsonSchema, path: string, checks: RuleChecks): FieldError[] {
  const run: Run = { ...checks, total: 0, dear: [] };
  const errors = visit(schema, { path, isResource: true, cardinality: 1, uncorrelated: undefined }, run);
  if (run.total <= MAX_SCHEMA_COST) return errors;
  const dearest = run.dear.sort((left, right) => right.cost - left.cost).slice(0, MAX_NAMED);
  const contributed = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  const total = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  return [
    ...errors,
    ...dearest.map((one) => forbiddenField(one.path, contributed)),
    forbiddenField(path, costText(total, run.total, MAX_SCHEMA_COST)),
  ];
}

interface Run extends RuleChecks {
  total: number;
  readonly dear: { readonly path: string; readonly cost: number }[];
}

interface Place {
  readonly path: string;
  readonly isResource: boolean;
  /** How many values of this part an object can have; undefined when nothing limits it. */
  readonly cardinality: number | undefined;
  /** The closest list around this part whose elements have no identity. */
  readonly uncorrelated: string | undefined;
}

/** Rules of what is inside come first. */
function visit(schema: JsonSchema, place: Place, run: Run): FieldError[] {
  const { path } = place;
  const step = (part: JsonSchema, at: string, uncorrelated = place.uncorrelated): FieldError[] => {
    const cardinality = multiplied(place.cardinality, mostElements(schema));
    return visit(part, { path: at, isResource: part.embeddedResource, cardinality, uncorrelated }, run);
  };
  const additional = additionalSchema(schema);
  const isIdentified = schema.listType === 'map';
  const outOfReach = place.uncorrelated ?? (isIdentified ? undefined : path);
  return [
    ...(additional ? step(additional, child(path, 'additionalProperties')) : []),
    ...[...schema.properties].flatMap(([name, member]) => step(member, entry(child(path, 'properties'), name))),
    ...(schema.items ? step(schema.items, child(path, 'items'), outOfReach) : []),
    ...ownErrors(schema, place, run),
  ];
}

function multiplied(cardinality: number | undefined, elements: number | undefined): number | undefined {
  return cardinality === undefined || elements === undefined ? undefined : Math.min(cardinality * elements, MOST);
}

function mostElements(schema: JsonSchema): number | undefined {
  const limit = (value: number | undefined) => (value === undefined ? undefined : Math.max(0, value));
  if (schema.type === 'array') return limit(schema.maxItems);
  return schema.type === 'object' && schema.additionalProperties !== undefined ? limit(schema.maxProperties) : 1;
}

function ownErrors(schema: JsonSchema, place: Place, run: Run): FieldError[] {
  const field = child(place.path, 'x-kubernetes-validations');
  const isBroken = run.schemaErrors.some((error) => error.field.startsWith(place.path));
  if (schema.rules.length === 0 || isBroken) return [];
  const self = declare(schema, 'self', { isResource: place.isResource });
  if (self === undefined) {
    const problem =
      'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations';
    return [{ field, reason: 'InternalError', message: `Internal error: ${problem}` }];
  }
  const times = place.cardinality ?? Math.floor(MAX_REQUEST_BYTES / (self.minBytes + 1));
  return compileRules(schema, self).flatMap((compiled, position) => {
    return compiledErrors(compiled, { at: index(field, position), times, uncorrelated: place.uncorrelated }, run);
  });
}

interface RulePlace {
  readonly at: string;
  /** How often the rule can run for one object. */
  readonly times: number;
  readonly uncorrelated: string | undefined;
}

function compiledErrors(compiled: CompiledRule, place: RulePlace, run: Run): FieldError[] {
  const { at } = place;
  const { rule } = compiled;
  const cost = Math.min((compiled.program?.maxCost ?? 0) * place.times, MOST);
  const wrong = (name: string, problem: string | undefined) =>
    problem === undefined ? [] : [wrongRule(child(at, name), rule, problem)];
  return [
    ...costErrors('estimated rule cost', { path: child(at, 'rule'), cost }, run),
    ...wrong('rule', compiled.problem),
    ...wrong('messageExpression', compiled.messageProblem),
    ...(compiled.message
      ? costErrors(
          'estimated messageExpression cost',
          { path: child(at, 'messageExpression'), cost: compiled.message.maxCost },
          run,
        )
      : []),
    ...oldSelfErrors(compiled, place),
  ];
}

function wrongRule(field: string, rule: ValidationRule, problem: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${printRule(rule)}: ${problem}` };
}

function costErrors(name: string, one: { readonly path: string; readonly cost: number }, run: Run): FieldError[] {
  run.total = Math.min(run.total + one.cost, MOST);
  if (one.cost >= MAX_SCHEMA_COST / 100) run.dear.push(one);
  const isTooDear = !run.isKnown && one.cost > MAX_RULE_COST;
  return isTooDear ? [forbiddenField(one.path, costText(name, one.cost, MAX_RULE_COST))] : [];
}

function costText(name: string, cost: number, limit: number): string {
  const times = cost / limit;
  const factor = times > 100 ? 'more than 100x' : times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`;
  const advice =
    'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';
  return `${name} exceeds budget by factor of ${factor} (${advice})`;
}

function oldSelfErrors({ rule, usesOldSelf }: CompiledRule, { at, uncorrelated }: RulePlace): FieldError[] {
  if (usesOldSelf) {
    if (uncorrelated === undefined) return [];
    const problem = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    return [invalidField(child(at, 'rule'), rule.rule, problem)];
  }
  if (rule.optionalOldSelf === undefined) return [];
  return [
    invalidField(child(at, 'optionalOldSelf'), rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
  ];
}
