/** The query of a request, read as Go reads it: 400 for a number that is none, any word but no counts as yes. */
import type { ListOptions, WriteOptions } from '#client/transport.ts';
import { invalid, badRequest, StatusError } from '#kube/status.ts';
import { notSupportedField } from '#kube/field-error.ts';

export class Query {
  readonly #parameters: URLSearchParams;

  constructor(text: string) {
    this.#parameters = new URLSearchParams(text);
  }

  get(name: string): string | undefined {
    return this.#parameters.get(name) ?? undefined;
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  all(name: string): string[] {
    return this.#parameters.getAll(name);
  }

  /** Absent when it is not there; false only for `0` and `false`. */
  flag(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return value !== '0' && value.toLowerCase() !== 'false';
  }

  integer(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined || value === '') return undefined;
    if (!/^[-+]?\d+$/.test(value)) throw badNumber(value);
    return Number(value);
  }
}

function badNumber(value: string): StatusError {
  return badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
}

export function listOptionsOf(query: Query): ListOptions {
  return {
    labelSelector: query.get('labelSelector'),
    fieldSelector: query.get('fieldSelector'),
    resourceVersion: query.get('resourceVersion'),
    resourceVersionMatch: query.get('resourceVersionMatch'),
    limit: query.integer('limit'),
    continue: query.get('continue') || undefined,
  };
}

export type WriteKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

const FIELD_VALIDATION = ['Ignore', 'Warn', 'Strict'] as const;

/** The longest name of a field manager. */
const MAX_MANAGER_LENGTH = 128;

export function writeOptionsOf(query: Query, kind: WriteKind): WriteOptions {
  const problems = [...dryRunProblems(query.all('dryRun')), ...managerProblems(query.get('fieldManager') ?? '')];
  const wanted = query.get('fieldValidation') || undefined;
  const fieldValidation = FIELD_VALIDATION.find((one) => one === wanted);
  if (wanted !== undefined && fieldValidation === undefined) {
    problems.push(notSupportedField('fieldValidation', wanted, FIELD_VALIDATION));
  }
  if (problems.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', problems);
  return {
    dryRun: query.has('dryRun') && query.all('dryRun').includes('All'),
    fieldManager: query.get('fieldManager') || undefined,
    fieldValidation: fieldValidation ?? 'Warn',
  };
}

type Problem = ReturnType<typeof notSupportedField>;

/** Values of `dryRun`, in a query or in DeleteOptions. */
export function dryRunProblems(values: readonly string[]): Problem[] {
  if (values.every((value) => value === 'All')) return [];
  const shown = `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}`;
  const message = `Unsupported value: ${shown}: supported values: "All"`;
  return [{ field: 'dryRun', reason: 'FieldValueNotSupported', message }];
}

function managerProblems(manager: string): Problem[] {
  if (Buffer.byteLength(manager) > MAX_MANAGER_LENGTH) {
    const message = `Too long: may not be more than ${MAX_MANAGER_LENGTH} bytes`;
    return [{ field: 'fieldManager', reason: 'FieldValueTooLong', message }];
  }
  const at = [...manager].findIndex((letter) => !/\P{C}/u.test(letter));
  if (at < 0) return [];
  const shown = JSON.stringify(manager);
  const letter = [...manager][at] ?? '';
  const message = `Invalid value: ${shown}: invalid character '${letter}' in ${at} position`;
  return [{ field: 'fieldManager', reason: 'FieldValueInvalid', message }];
}
