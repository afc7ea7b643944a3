/** Names of a kind: words of URLs, of commands and of Go. */
import { child, type FieldError, index, invalidField, requiredField } from '#kube/field-error.ts';
import { dns1035LabelProblems } from '#kube/names.ts';
import type { Names } from '#kube/structural/crd/definition.ts';

const MIXED_CASE = 'may have mixed case, but should otherwise match: ';

/** Names that a spec must have. */
export function missingNames(names: Names, path: string): FieldError[] {
  const members = ['plural', 'singular', 'kind', 'listKind'] as const;
  return members.filter((member) => names[member] === '').map((member) => requiredField(child(path, member)));
}

export function namesErrors(names: Names, path: string): FieldError[] {
  const isAmbiguous = names.kind !== '' && names.kind === names.listKind;
  return [
    ...labelErrors(names.plural, child(path, 'plural')),
    ...labelErrors(names.singular, child(path, 'singular')),
    ...kindErrors(names.kind, child(path, 'kind')),
    ...kindErrors(names.listKind, child(path, 'listKind')),
    ...eachErrors(names.shortNames, child(path, 'shortNames')),
    ...(isAmbiguous
      ? [invalidField(child(path, 'listKind'), names.listKind, 'kind and listKind may not be the same')]
      : []),
    ...eachErrors(names.categories, child(path, 'categories')),
  ];
}

function labelErrors(name: string, path: string): FieldError[] {
  return name === '' ? [] : eachLabelErrors(name, path);
}

export function eachLabelErrors(name: string, path: string): FieldError[] {
  const problems = dns1035LabelProblems(name);
  return problems.length === 0 ? [] : [invalidField(path, name, problems.join(','))];
}

function kindErrors(name: string, path: string): FieldError[] {
  const problems = name === '' ? [] : dns1035LabelProblems(name.toLowerCase());
  return problems.length === 0 ? [] : [invalidField(path, name, MIXED_CASE + problems.join(','))];
}

function eachErrors(names: readonly string[], path: string): FieldError[] {
  return names.flatMap((name, position) => eachLabelErrors(name, index(path, position)));
}
