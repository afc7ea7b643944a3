/** The rules of a webhook, which say what requests it sees: checks in Kubernetes' words. */
import { child, type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import type { RuleWithOperations } from '#kube/kinds/admissionregistration/webhook.ts';
import { invalidLiteral, stringList } from '#apiserver/strategies/literals.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];

export function ruleErrors(rule: RuleWithOperations, path: string): FieldError[] {
  const { operations, apiGroups, apiVersions, resources = [], scope } = rule;
  return [
    ...operationErrors(operations ?? [], child(path, 'operations')),
    ...namesErrors(apiGroups ?? [], { path: child(path, 'apiGroups'), others: 'API groups', mayBeEmpty: true }),
    ...namesErrors(apiVersions ?? [], { path: child(path, 'apiVersions'), others: 'API versions', mayBeEmpty: false }),
    ...resourceErrors(resources, child(path, 'resources')),
    ...(scope === undefined || SCOPES.includes(scope) ? [] : [notSupportedField(child(path, 'scope'), scope, SCOPES)]),
  ];
}

function operationErrors(operations: readonly string[], path: string): FieldError[] {
  return [
    ...listErrors(operations, path, 'operations'),
    ...operations.flatMap((operation, position) =>
      OPERATIONS.includes(operation) ? [] : [notSupportedField(index(path, position), operation, OPERATIONS)],
    ),
  ];
}

interface NamesCheck {
  readonly path: string;
  /** What may not stand beside a star. */
  readonly others: string;
  readonly mayBeEmpty: boolean;
}

function namesErrors(names: readonly string[], { path, others, mayBeEmpty }: NamesCheck): FieldError[] {
  const empty = mayBeEmpty
    ? []
    : names.flatMap((name, position) => (name === '' ? [requiredField(index(path, position))] : []));
  return [...listErrors(names, path, others), ...empty];
}

function listErrors(names: readonly string[], path: string, others: string): FieldError[] {
  if (names.length === 0) return [requiredField(path)];
  if (names.length === 1 || !names.includes('*')) return [];
  return [invalidLiteral(path, stringList(names), `if '*' is present, must not specify other ${others}`)];
}

function resourceErrors(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [requiredField(path)];
  const errors: FieldError[] = [];
  const [wholeResources, everywhere] = [new Set<string>(), new Set<string>()];
  resources.forEach((given, position) => {
    const at = index(path, position);
    if (given === '') errors.push(requiredField(at));
    const slash = given.indexOf('/');
    if (slash < 0) return;
    const [resource, subresource] = [given.slice(0, slash), given.slice(slash + 1)];
    const beside = (present: string) =>
      invalidField(at, given, `if '${present}' is present, must not specify ${given}`);
    if (wholeResources.has(resource)) errors.push(beside(`${resource}/*`));
    if (everywhere.has(subresource)) errors.push(beside(`*/${subresource}`));
    if (subresource === '*') wholeResources.add(resource);
    if (resource === '*') everywhere.add(subresource);
  });
  return [...errors, ...wildcardErrors(resources, path)];
}

function wildcardErrors(resources: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalidLiteral(path, stringList(resources), "if '*/*' is present, must not specify other resources"));
  }
  // The real server remembers only the last resource without a slash.
  const last = resources.filter((one) => one !== '' && !one.includes('/')).at(-1);
  if (resources.includes('*') && last !== '*') {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalidLiteral(path, stringList(resources), why));
  }
  return errors;
}
