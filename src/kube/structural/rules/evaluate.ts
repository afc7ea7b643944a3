/**
 * Runs the rules of a schema against an object, in Kubernetes' order: those of a value before those of what is in it.
 * All rules of one object share a budget of cost; when it is used up, no further rule runs and the object is refused.
 */
import { isObject } from '#base/json.ts';
import { CelCostExceeded, CelFailure } from '#kube/cel/errors.ts';
import { type Bindings, type CelProgram, type Evaluation, MAX_CALL_COST } from '#kube/cel/compile.ts';
import { Optional, type Value } from '#kube/cel/values.ts';
import { newWork, type Work } from '#kube/cel/work.ts';
import {
  child,
  entry,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  requiredField,
} from '#kube/field-error.ts';
import { type Correlation, elementsByKey, keyOf } from '#kube/structural/correlation.ts';
import type { JsonSchema, ValidationRule } from '#kube/structural/json-schema.ts';
import type { CompiledRule } from '#kube/structural/rules/compile-rules.ts';
import type { RuleNode } from '#kube/structural/rules/rule-tree.ts';
import { schemaValue } from '#kube/structural/rules/values.ts';

/** Cost of all rules of one object. */
const RULES_BUDGET = 10_000_000;
/** Bytes of a message that an expression makes. */
const MAX_MESSAGE_BYTES = 5 * 1024;
/** How Go prints a path that has no parts. */
const NO_FIELD = '<nil>';

export interface RulesWrite {
  readonly value: unknown;
  /** Undefined for what is new. */
  readonly old: unknown;
  readonly correlation?: Correlation | undefined;
  /** Where the value is. */
  readonly path: string;
  /** Told of rules that fail for values that did not change, which is no error. */
  readonly warn?: ((text: string) => void) | undefined;
}

export function ruleErrors(root: RuleNode, write: RulesWrite): FieldError[] {
  return runRules(root, write).errors;
}

/** The same, with what it cost. */
export function runRules(root: RuleNode, write: RulesWrite): { readonly errors: FieldError[]; readonly cost: number } {
  const run: Run = { errors: [], left: RULES_BUDGET, work: newWork(), warn: write.warn };
  visit(root, { ...write, nearest: undefined, isRoot: true }, run);
  return { errors: run.errors, cost: RULES_BUDGET - run.left };
}

interface Run {
  readonly errors: FieldError[];
  /** Negative when no further rule may run. */
  left: number;
  readonly work: Work;
  readonly warn: ((text: string) => void) | undefined;
}

interface Place {
  readonly path: string;
  readonly value: unknown;
  readonly old: unknown;
  readonly correlation?: Correlation | undefined;
  /** Of the closest value around this one that correlates. */
  readonly nearest: Correlation | undefined;
  readonly isRoot: boolean;
}

function visit(node: RuleNode, place: Place, run: Run): void {
  if (run.left < 0 || place.value === null || place.value === undefined) return;
  runOwnRules(node, place, run);
  if (Array.isArray(place.value)) visitElements(node, place, run);
  else if (isObject(place.value)) visitMembers(node, place, run);
}

function visitElements(node: RuleNode, place: Place, run: Run): void {
  const { items } = node;
  if (items === undefined) return;
  const olds = Array.isArray(place.old) ? elementsByKey(node.schema, place.old) : new Map<string, unknown>();
  (place.value as readonly unknown[]).forEach((value, position) => {
    const old = olds.get(keyOf(node.schema, value) ?? '');
    const path = index(place.path, position);
    visit(items, { ...below(place, () => place.correlation?.element(position)), path, value, old }, run);
  });
}

function visitMembers(node: RuleNode, place: Place, run: Run): void {
  const olds = isObject(place.old) ? place.old : {};
  for (const [name, value] of Object.entries(place.value as Readonly<Record<string, unknown>>)) {
    const known = node.properties.get(name);
    const next = known ?? node.additional;
    if (next === undefined) continue;
    const path = known ? child(place.path, name) : entry(place.path, name);
    const old = Object.hasOwn(olds, name) ? olds[name] : undefined;
    const isType = place.isRoot && (name === 'apiVersion' || name === 'kind');
    const correlated = isType ? NOWHERE : below(place, () => place.correlation?.member(name));
    visit(next, { ...correlated, path, value, old }, run);
  }
}

const NOWHERE = { correlation: undefined, nearest: undefined, isRoot: false };

function below(
  place: Place,
  step: () => Correlation | undefined,
): typeof NOWHERE | Pick<Place, 'correlation' | 'nearest' | 'isRoot'> {
  const { correlation, nearest } = place;
  if (correlation === undefined) return { correlation, nearest, isRoot: false };
  return { correlation: step(), nearest: correlation, isRoot: false };
}

function runOwnRules(node: RuleNode, place: Place, run: Run): void {
  const { schema } = node;
  for (const compiled of node.rules()) {
    if (run.left <= 0) {
      run.errors.push(failed(place, schema, BUDGET_GONE));
      run.left = -1;
      return;
    }
    if (compiled.problem !== undefined)
      run.errors.push(failed(place, schema, `rule compile error: ${compiled.problem}`));
    else runRule(node, compiled, { place, run });
    if (run.left < 0) return;
  }
}

const BUDGET_GONE = 'validation failed due to running out of cost budget, no further validation rules will be run';

function failed(place: Place, schema: JsonSchema, detail: string): FieldError {
  return invalidField(place.path || NO_FIELD, schema.type, detail);
}

interface Running {
  readonly place: Place;
  readonly run: Run;
}

function runRule(node: RuleNode, compiled: CompiledRule, { place, run }: Running): void {
  const { rule, program } = compiled;
  const isNew = place.old === undefined || place.old === null;
  const isOptional = rule.optionalOldSelf === true;
  if (program === undefined || (compiled.usesOldSelf && isNew && !isOptional)) return;
  const bindings = valuesOf(node.shown, place, isOptional);
  const evaluation = evaluate(program, bindings, run);
  const text = rule.message === '' ? rule.rule.trim() : rule.message.trim();
  if (evaluation instanceof CelCostExceeded) {
    const detail = `'${evaluation.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`;
    run.errors.push(failed(place, node.schema, run.left < MAX_CALL_COST ? BUDGET_GONE : detail));
    run.left = -1;
    return;
  }
  run.left -= evaluation.cost;
  if (evaluation.value instanceof CelFailure) {
    run.errors.push(failed(place, node.schema, failureText(evaluation.value, text)));
  } else if (evaluation.value !== true) report(node, compiled, { place, run, bindings });
}

/** Values are only made when a rule reads them. */
function valuesOf(shown: JsonSchema, place: Place, isOptional: boolean): Bindings {
  const isNew = place.old === undefined || place.old === null;
  const old = (): Value =>
    isOptional ? new Optional(isNew ? undefined : schemaValue(shown, place.old)) : schemaValue(shown, place.old);
  return (name) => {
    if (name === 'self') return schemaValue(shown, place.value);
    return name === 'oldSelf' ? old() : undefined;
  };
}

function evaluate(program: CelProgram, bindings: Bindings, run: Run): Evaluation | CelCostExceeded {
  try {
    return program.evaluate(bindings, { limit: Math.min(MAX_CALL_COST, run.left), work: run.work });
  } catch (error) {
    if (error instanceof CelCostExceeded) return error;
    throw error;
  }
}

function failureText({ message }: CelFailure, rule: string): string {
  if (!message.startsWith('no such overload')) return `${message} evaluating rule: ${rule}`;
  return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`;
}

function report(node: RuleNode, compiled: CompiledRule, running: Running & { readonly bindings: Bindings }): void {
  const { place, run } = running;
  const path = compiled.fieldPath === '' ? place.path : child(place.path, compiled.fieldPath);
  const message = messageOf(compiled, running);
  const error = errorForReason(path || NO_FIELD, node.schema.type, { message, reason: compiled.rule.reason });
  const correlation = place.correlation ?? place.nearest;
  const isUnchanged = !compiled.usesOldSelf && correlation?.isUnchanged() === true;
  if (isUnchanged) run.warn?.(`${error.field}: ${error.message}`);
  else run.errors.push(error);
}

function errorForReason(
  path: string,
  type: string,
  { message, reason }: { readonly message: string; readonly reason: ValidationRule['reason'] },
): FieldError {
  if (reason === 'FieldValueForbidden') return forbiddenField(path, message);
  if (reason === 'FieldValueRequired') return requiredField(path, message);
  if (reason !== 'FieldValueDuplicate') return invalidField(path, type, message);
  return { field: path, reason, message: `Duplicate value: ${JSON.stringify(type)}` };
}

function messageOf(
  { rule, message }: CompiledRule,
  { run, bindings }: Running & { readonly bindings: Bindings },
): string {
  const plain = rule.message === '' ? `failed rule: ${rule.rule.trim()}` : rule.message.trim();
  if (message === undefined) return plain;
  const evaluation = evaluate(message, bindings, run);
  if (evaluation instanceof CelCostExceeded) {
    run.left = -1;
    return 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run';
  }
  run.left -= evaluation.cost;
  const text = typeof evaluation.value === 'string' ? evaluation.value.trim() : '';
  const isUsable = text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES;
  return isUsable ? text : plain;
}
