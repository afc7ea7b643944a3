/** What a version says beside its schema: a warning, subresources, columns, fields to select by. */
import { child, duplicateField, type FieldError, index, invalidField, requiredField } from '#kube/field-error.ts';
import { ParseError } from '#kube/parse-error.ts';
import {
  type Members,
  optionalObjectAt,
  optionalTextAt,
  type Shared,
  textAt,
  type Version,
} from '#kube/structural/crd/definition.ts';
import { fieldAt } from '#kube/structural/crd/field-path.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MAX_SELECTABLE_FIELDS = 8;
const MAX_WARNING_BYTES = 256;

export function deprecationErrors(version: Version, path: string): FieldError[] {
  const warning = version.deprecationWarning;
  if (warning === undefined) return [];
  const problems = version.deprecated ? warningProblems(warning) : ['can only be set for deprecated versions'];
  return problems.map((problem) => invalidField(child(path, 'deprecationWarning'), warning, problem));
}

function warningProblems(warning: string): string[] {
  const problems = Buffer.byteLength(warning) > MAX_WARNING_BYTES ? ['must be <= 256 characters long'] : [];
  if (warning === '') problems.push('must not be an empty string');
  const position = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (position < 0) return problems;
  const byte = Buffer.byteLength(warning.slice(0, position));
  return [...problems, `must only contain printable UTF-8 characters; non-printable character found at index ${byte}`];
}

export function subresourceErrors(subresources: Members | undefined, path: string): FieldError[] {
  const scale = subresources && optionalObjectAt(subresources, 'scale');
  if (scale === undefined) return [];
  const selector = optionalTextAt(scale, 'labelSelectorPath') ?? '';
  return [
    ...scalePathErrors(textAt(scale, 'specReplicasPath'), ['.spec.'], child(path, 'scale.specReplicasPath')),
    ...scalePathErrors(textAt(scale, 'statusReplicasPath'), ['.status.'], child(path, 'scale.statusReplicasPath')),
    ...(selector === ''
      ? []
      : scalePathErrors(selector, ['.spec.', '.status.'], child(path, 'scale.labelSelectorPath'))),
  ];
}

function scalePathErrors(value: string, parents: readonly string[], path: string): FieldError[] {
  if (value === '') return [requiredField(path)];
  const errors = jsonPathErrors(value, path);
  if (errors.length > 0 || parents.some((parent) => value.startsWith(parent))) return errors;
  const names = parents.map((parent) => parent.slice(0, -1)).join(' or ');
  return [invalidField(path, value, `should be a json path under ${parents.length > 1 ? 'either ' : ''}${names}`)];
}

function jsonPathErrors(value: string, path: string): FieldError[] {
  return value.startsWith('.') ? [] : [invalidField(path, value, 'must be a simple json path starting with .')];
}

export function columnErrors(column: Members, path: string): FieldError[] {
  const [type, format, jsonPath] = [textAt(column, 'type'), textAt(column, 'format'), textAt(column, 'jsonPath')];
  const wrongType = `must be one of ${COLUMN_TYPES.join(',')}`;
  const errors = textAt(column, 'name') === '' ? [requiredField(child(path, 'name'))] : [];
  if (type === '') errors.push(requiredField(child(path, 'type'), wrongType));
  else if (!COLUMN_TYPES.includes(type)) errors.push(invalidField(child(path, 'type'), type, wrongType));
  if (format !== '' && !COLUMN_FORMATS.includes(format)) {
    errors.push(invalidField(child(path, 'format'), format, `must be one of ${COLUMN_FORMATS.join(',')}`));
  }
  const atPath = child(path, 'JSONPath');
  return [...errors, ...(jsonPath === '' ? [requiredField(atPath)] : jsonPathErrors(jsonPath, atPath))];
}

/** Fields to select by, of a version or of all of them; `schema` is theirs. */
export function selectableFieldErrors(shared: Shared, schema: JsonSchema | undefined, path: string): FieldError[] {
  const fields = shared.selectableFields;
  if (fields.length === 0 || schema === undefined) return [];
  const seen = new Set<string>();
  const errors = fields.flatMap((field, position) => {
    return selectableErrors(textAt(field, 'jsonPath'), {
      schema,
      seen,
      path: child(index(path, position), 'jsonPath'),
    });
  });
  if (seen.size <= MAX_SELECTABLE_FIELDS) return errors;
  const message = `Too many: ${seen.size}: must have at most ${MAX_SELECTABLE_FIELDS} items`;
  return [...errors, { field: path, reason: 'FieldValueTooMany', message }];
}

interface Selectable {
  readonly schema: JsonSchema;
  readonly seen: Set<string>;
  readonly path: string;
}

function selectableErrors(jsonPath: string, { schema, seen, path }: Selectable): FieldError[] {
  if (jsonPath === '') return [requiredField(path)];
  const found = fieldAt(schema, jsonPath, { allowsBrackets: false });
  if (found instanceof ParseError) return [invalidField(path, jsonPath, `is an invalid path: ${found.message}`)];
  const errors: FieldError[] = [];
  if (/^metadata(?:\.|$)/.test(found.path)) {
    errors.push(invalidField(path, jsonPath, 'must not point to fields in metadata'));
  }
  if (!['string', 'boolean', 'integer'].includes(found.schema?.type ?? '')) {
    const rule =
      'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
    errors.push(invalidField(path, jsonPath, rule));
  }
  if (seen.has(found.path)) errors.push(duplicateField(path, jsonPath));
  seen.add(found.path);
  return errors;
}
