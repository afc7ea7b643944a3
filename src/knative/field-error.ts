/**
 * Validation errors as Knative words them (Kubernetes' own are in `#kube/field-error.ts`).
 *
 * A validator answers a list, empty when all is well; `via` puts the path that led to it in front. Rendered, errors
 * with the same level, message and details share one line with all their paths; lines and paths are sorted:
 *
 *     expected 0 <= 2000 <= 1000: spec.template.spec.containerConcurrency
 *     missing field(s): spec.ref.kind, spec.ref.name
 *     details, if there are any, on a line of their own
 *
 * Strings compare by code unit, which for the texts that occur is Go's order by bytes.
 */

export interface FieldError {
  readonly message: string;
  readonly paths: readonly string[];
  readonly details?: string | undefined;
  /** A warning does not refuse the object. */
  readonly isWarning?: boolean | undefined;
}

export type FieldErrors = readonly FieldError[];

/** Nothing to complain about. */
export const noErrors: FieldErrors = [];

/** Any message at `paths`; an empty path is the object itself. */
export function fieldError(message: string, paths: string | readonly string[], details?: string): FieldErrors {
  return [{ message, paths: typeof paths === 'string' ? [paths] : paths, details }];
}

export function missingField(...paths: string[]): FieldErrors {
  return fieldError('missing field(s)', paths);
}

export function disallowedField(...paths: string[]): FieldErrors {
  return fieldError('must not set the field(s)', paths);
}

export function invalidValue(value: string | number | boolean, path: string, details?: string): FieldErrors {
  return fieldError(`invalid value: ${value}`, path, details);
}

export function expectedOneOf(gotAny: 'neither' | 'both', paths: readonly string[]): FieldErrors {
  return fieldError(`expected exactly one, got ${gotAny}`, paths);
}

export function invalidKeyName(key: string, path: string, details?: string): FieldErrors {
  return fieldError(`invalid key name "${key}"`, path, details);
}

/** `expected LO <= V <= HI`; the bounds are inclusive. */
export function outOfBounds(
  value: string | number,
  [low, high]: readonly [string | number, string | number],
  path: string,
): FieldErrors {
  return fieldError(`expected ${low} <= ${value} <= ${high}`, path);
}

/** Exactly one of `paths` must be set: the error when none or several of `set` are. */
export function exactlyOne(set: readonly string[], paths: readonly string[]): FieldErrors {
  if (set.length === 1) return noErrors;
  return set.length === 0 ? expectedOneOf('neither', paths) : expectedOneOf('both', set);
}

/** The same errors, seen from the parent whose member `prefix` (`spec`, `[0]`, `containers[1]`) was looked at. */
export function via(prefix: string, errors: FieldErrors): FieldErrors {
  return errors.map((error) => ({ ...error, paths: error.paths.map((path) => joinPath(prefix, path)) }));
}

export function viaIndex(field: string, index: number, errors: FieldErrors): FieldErrors {
  return via(`${field}[${index}]`, errors);
}

export function asWarnings(errors: FieldErrors): FieldErrors {
  return errors.map((error) => ({ ...error, isWarning: true }));
}

/** Dots separate members, an index or key in brackets is glued to what it belongs to, empty members vanish. */
function joinPath(...parts: string[]): string {
  const members: string[] = [];
  for (const member of parts.flatMap((part) => part.split('.'))) {
    if (member === '') continue;
    const isIndex = member.startsWith('[') && member.endsWith(']');
    if (isIndex && members.length > 0) members.push(`${members.pop()}${member}`);
    else members.push(member);
  }
  return members.join('.');
}

/** The text of all errors that are no warnings; undefined when there are none. */
export function renderErrors(errors: FieldErrors): string | undefined {
  const lines = merge(errors.filter(({ isWarning }) => !isWarning)).map(renderOne);
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** One text per warning. */
export function renderWarnings(errors: FieldErrors): string[] {
  return merge(errors.filter(({ isWarning }) => isWarning)).map(renderOne);
}

function renderOne({ message, paths, details }: FieldError): string {
  const line = `${message}: ${paths.join(', ')}`;
  return details ? `${line}\n${details}` : line;
}

function merge(errors: FieldErrors): FieldError[] {
  const merged = new Map<string, FieldError>();
  for (const error of errors) {
    const key = JSON.stringify([error.message, error.details ?? '']);
    const paths = [...new Set([...(merged.get(key)?.paths ?? []), ...error.paths])].sort();
    merged.set(key, { ...error, paths });
  }
  return [...merged.values()].sort(
    (left, right) => order(left.message, right.message) || order(left.details ?? '', right.details ?? ''),
  );
}

function order(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
