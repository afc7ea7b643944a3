/** Everything that a custom resource is checked for, in Kubernetes' order: its schema, the numbers of its scale,
 * resources within it, lists of distinct elements, and last, if all of that left something to work with, its rules. */
import { getMember, isObject } from '#base/json.ts';
import { child, type FieldError, type FieldErrorReason } from '#kube/field-error.ts';
import type { ScaleSubresource } from '#kube/kind.ts';
import { Correlation } from '#kube/structural/correlation.ts';
import { embeddedErrors } from '#kube/structural/embedded.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';
import { listTypeErrors } from '#kube/structural/list-types.ts';
import { ruleErrors } from '#kube/structural/rules/evaluate.ts';
import type { RuleNode } from '#kube/structural/rules/rule-tree.ts';
import { scaleSpecErrors, scaleStatusErrors } from '#kube/structural/scale-errors.ts';
import { schemaFindings } from '#kube/structural/validate-schema.ts';

export interface Write {
  readonly object: unknown;
  /** Undefined when the object is new. */
  readonly old: unknown;
}

/** How Go prints a path that has no parts. */
const NO_FIELD = '<nil>';

/** Rules count on values of the right type and size. */
const BLOCKING: ReadonlySet<FieldErrorReason> = new Set<FieldErrorReason>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const UNCHECKED: FieldError = {
  field: NO_FIELD,
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

export interface Checks {
  readonly schema: JsonSchema;
  /** Undefined when the schema has none. */
  readonly rules: RuleNode | undefined;
}

interface Options {
  readonly warn?: ((text: string) => void) | undefined;
  readonly scale?: ScaleSubresource | undefined;
  readonly subresource?: 'status' | undefined;
}

export function resourceErrors({ schema, rules }: Checks, write: Write, options: Options): FieldError[] {
  const correlation = write.old === undefined ? undefined : new Correlation(schema, write.object, write.old);
  const isOfStatus = options.subresource === 'status';
  const errors = [
    ...(isOfStatus ? statusErrors(schema, write, correlation) : errorsOf(schema, write.object, correlation)),
    ...(options.scale ? scaleErrors(write.object, options.scale, isOfStatus) : []),
    ...(isOfStatus ? [] : embeddedErrors(schema, write.object, '')),
    ...newListErrors(schema, write),
  ];
  if (rules === undefined) return errors;
  if (errors.some(({ reason }) => BLOCKING.has(reason))) return [...errors, UNCHECKED];
  const { warn } = options;
  return [...errors, ...ruleErrors(rules, { value: write.object, old: write.old, correlation, path: '', warn })];
}

function errorsOf(schema: JsonSchema, value: unknown, correlation: Correlation | undefined): FieldError[] {
  return locate(schemaFindings(schema, value, correlation), '');
}

/** Findings of a value as errors of the object that has it at `path`. */
export function locate(findings: readonly FieldError[], path: string): FieldError[] {
  return findings.map(({ field, reason, message }) => ({ field: joined(path, field), reason, message }));
}

function joined(path: string, field: string): string {
  if (path === '') return field === '' ? NO_FIELD : field;
  return field === '' ? path : child(path, field);
}

function statusErrors(schema: JsonSchema, write: Write, correlation: Correlation | undefined): FieldError[] {
  const ofStatus = schema.properties.get('status');
  const status = isObject(write.object) ? getMember(write.object, 'status') : undefined;
  if (ofStatus === undefined || status === undefined) return [];
  return locate(schemaFindings(ofStatus, status, correlation?.member('status')), 'status');
}

function scaleErrors(object: unknown, scale: ScaleSubresource, isOfStatus: boolean): FieldError[] {
  return [...(isOfStatus ? [] : scaleSpecErrors(object, scale)), ...scaleStatusErrors(object, scale)];
}

/** What was doubled before may stay doubled. */
function newListErrors(schema: JsonSchema, { object, old }: Write): FieldError[] {
  const errors = listTypeErrors(schema, object, '');
  const wasWrong = errors.length > 0 && old !== undefined && listTypeErrors(schema, old, '').length > 0;
  return wasWrong ? [] : errors;
}
