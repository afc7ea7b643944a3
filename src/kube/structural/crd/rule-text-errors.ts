/** Rules (x-kubernetes-validations) as texts: what is empty, on several lines, or points nowhere. */
import { child, type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import { ParseError } from '#kube/parse-error.ts';
import { fieldAt } from '#kube/structural/crd/field-path.ts';
import type { JsonSchema, ValidationRule } from '#kube/structural/json-schema.ts';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const LINE_BREAK = /[\n\r]/;

export function ruleTextErrors(schema: JsonSchema, path: string): FieldError[] {
  return schema.rules.flatMap((rule, position) => {
    const at = index(child(path, 'x-kubernetes-validations'), position);
    return [
      ...messageErrors(rule, at),
      ...messageExpressionErrors(rule, at),
      ...reasonErrors(rule, at),
      ...fieldPathErrors(schema, rule, child(at, 'fieldPath')),
    ];
  });
}

/** The first of these only. */
function messageErrors({ rule, message }: ValidationRule, at: string): FieldError[] {
  const [text, said] = [rule.trim(), message.trim()];
  const field = child(at, 'message');
  if (text === '') return [requiredField(child(at, 'rule'), 'rule is not specified')];
  if (message !== '' && said === '') return [invalidField(field, message, 'message must be non-empty if specified')];
  if (LINE_BREAK.test(said)) return [invalidField(field, message, 'message must not contain line breaks')];
  const needsMessage = LINE_BREAK.test(text) && said === '';
  return needsMessage ? [requiredField(field, 'message must be specified if rule contains line breaks')] : [];
}

function messageExpressionErrors({ messageExpression }: ValidationRule, at: string): FieldError[] {
  if (messageExpression === '' || messageExpression.trim() !== '') return [];
  return [requiredField(child(at, 'messageExpression'), 'messageExpression must be non-empty if specified')];
}

function reasonErrors({ reason }: ValidationRule, at: string): FieldError[] {
  if (reason === undefined || REASONS.includes(reason)) return [];
  return [notSupportedField(child(at, 'reason'), reason, REASONS)];
}

function fieldPathErrors(schema: JsonSchema, { fieldPath }: ValidationRule, field: string): FieldError[] {
  if (fieldPath === '') return [];
  const errors: FieldError[] = [];
  if (fieldPath.trim() === '') errors.push(invalidField(field, fieldPath, 'fieldPath must be non-empty if specified'));
  if (LINE_BREAK.test(fieldPath)) {
    errors.push(invalidField(field, fieldPath, 'fieldPath must not contain line breaks'));
  }
  if (fieldAt(schema, fieldPath) instanceof ParseError) {
    errors.push(invalidField(field, fieldPath, 'fieldPath must be a valid path'));
  }
  return errors;
}
