/** Small checks that many fields share, in Kubernetes' words. */
import { isIPv4, isIPv6 } from 'node:net';
import { child, type FieldError, invalidField, requiredField } from '#kube/field-error.ts';
import { dnsLabelProblems, rangeProblems } from '#kube/names.ts';

export const MAX_INT32 = 2 ** 31 - 1;

export function notNegative(path: string, value: number | undefined): FieldError[] {
  return value === undefined || value >= 0 ? [] : [invalidField(path, value, 'must be greater than or equal to 0')];
}

export function positive(path: string, value: number | undefined): FieldError[] {
  return value === undefined || value > 0 ? [] : [invalidField(path, value, 'must be greater than 0')];
}

export function problemsAt(path: string, value: unknown, problems: readonly string[]): FieldError[] {
  return problems.map((problem) => invalidField(path, value, problem));
}

export function requiredText(path: string, value: string | undefined): FieldError[] {
  return value ? [] : [requiredField(path)];
}

export function dnsLabelErrors(path: string, value: string): FieldError[] {
  return problemsAt(path, value, dnsLabelProblems(value));
}

/** User and group numbers. */
export function idErrors(path: string, value: number | undefined): FieldError[] {
  return value === undefined ? [] : problemsAt(path, value, rangeProblems(value, 0, MAX_INT32));
}

export function addressErrors(path: string, value: string): FieldError[] {
  if (isIPv4(value) || isIPv6(value)) return [];
  return [invalidField(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
}

const FILE_MODE = 'must be a number between 0 and 0777 (octal), both inclusive';

export function fileModeErrors(path: string, mode: number | undefined): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [invalidField(path, mode, FILE_MODE)];
}

/** A path within a volume: relative, and never upwards. */
export function descendingPathErrors(path: string, target: string): FieldError[] {
  const errors = target.startsWith('/') ? [invalidField(path, target, 'must be a relative path')] : [];
  return [...errors, ...noBackstepErrors(path, target)];
}

export function noBackstepErrors(path: string, target: string): FieldError[] {
  return target.split('/').includes('..') ? [invalidField(path, target, "must not contain '..'")] : [];
}

/** The same, for files that the platform writes; it keeps names with two dots for itself. */
export function localPathErrors(path: string, target: string): FieldError[] {
  const isReserved = target.startsWith('..') && !target.startsWith('../');
  return [
    ...descendingPathErrors(path, target),
    ...(isReserved ? [invalidField(path, target, "must not start with '..'")] : []),
  ];
}

export function at(path: string, ...members: string[]): string {
  return members.reduce(child, path);
}
