/**
 * Validation errors as Kubernetes words them: a field path, a reason, a detail. A list of them becomes one
 * `Invalid` Status (see `invalid` in `status.ts`).
 *
 * Source of the texts: recorded answers of kube-apiserver 1.33.
 */

export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueNotSupported'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  /** `spec.containers[0].image`; empty for the object itself. */
  readonly field: string;
  readonly reason: FieldErrorReason;
  /** Without the field: `Required value: must be set`. */
  readonly message: string;
}

export function requiredField(field: string, detail = ''): FieldError {
  return { field, reason: 'FieldValueRequired', message: detail ? `Required value: ${detail}` : 'Required value' };
}

export function invalidField(field: string, value: unknown, detail: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${renderValue(value)}: ${detail}` };
}

export function duplicateField(field: string, value: unknown): FieldError {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${renderValue(value)}` };
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${detail}` };
}

export function notFoundField(field: string, value: unknown): FieldError {
  return { field, reason: 'FieldValueNotFound', message: `Not found: ${renderValue(value)}` };
}

export function notSupportedField(field: string, value: unknown, supported: readonly string[]): FieldError {
  const values = supported.map((one) => JSON.stringify(one)).join(', ');
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${renderValue(value)}: supported values: ${values}`,
  };
}

export function tooLongField(field: string, limit: number): FieldError {
  return { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes` };
}

export function tooManyField(field: string, count: number, limit: number): FieldError {
  const message = `Too many: ${count}: must have at most ${limit} items`;
  return { field, reason: 'FieldValueTooMany', message };
}

/** A value of another type, or format, than the schema has; `actual` is the type, or the text in the wrong format. */
export function typeInvalidField(field: string, actual: string, expected: string): FieldError {
  const given = JSON.stringify(actual);
  const message = `Invalid value: ${given}: ${field} in body must be of type ${expected}: ${given}`;
  return { field, reason: 'FieldValueTypeInvalid', message };
}

/** Values as Go prints them in errors: strings quoted, numbers and booleans bare, the rest as JSON. */
export function renderValue(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'null');
}

/** `metadata.name` + `x` → `metadata.name.x`; an index or a key in brackets is glued on. */
export function child(path: string, member: string): string {
  return path === '' ? member : `${path}.${member}`;
}

export function index(path: string, position: number): string {
  return `${path}[${position}]`;
}

export function entry(path: string, key: string): string {
  return `${path}[${key}]`;
}
