/** Checks of a Job, in Kubernetes' order and words. */
import {
  child,
  type FieldError,
  invalidField,
  notSupportedField,
  requiredField,
  tooLongField,
} from '#kube/field-error.ts';
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobSpec } from '#kube/kinds/batch/job-spec.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { labelSelectorErrors, matchesLabels, selectorOf } from '#kube/selectors.ts';
import { notNegative, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { templateErrors } from '#apiserver/pod-spec/validate.ts';
import { failurePolicyErrors, successPolicyErrors } from '#apiserver/strategies/job/policies.ts';
import { invalidLiteral, labelSelector, stringMap } from '#apiserver/strategies/literals.ts';

/** Bounds that keep the lists of indexes in the status small. */
const MAX_PARALLELISM = 100_000;
const MAX_FAILED_INDEXES = 100_000;
const MANY_COMPLETIONS = 100_000;
const MAX_PARALLELISM_OF_MANY = 10_000;
const MAX_FAILED_INDEXES_OF_MANY = 10_000;
const MAX_MANAGER_LENGTH = 63;

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;
const MODES = ['NonIndexed', 'Indexed'];
const REPLACEMENTS = ['Failed', 'TerminatingOrFailed'];

export function jobErrors(job: Job): FieldError[] {
  return [...generatedErrors(job), ...jobSpecErrors(job.spec, 'spec'), ...hostnameErrors(job)];
}

/** What was made by the server may not be contradicted by what the user wrote. */
function generatedErrors({ metadata, spec }: Job): FieldError[] {
  if (spec.manualSelector === true || !spec.selector) return [];
  const { uid = '', name = '' } = metadata;
  const labels = spec.template.metadata?.labels ?? {};
  const expected = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  const errors = Object.entries(expected).flatMap(([key, value]): FieldError[] => {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === value) return [];
    const detail = `must be '${value}'`;
    return [labels[key] === undefined ? requiredField(path, detail) : invalidLiteral(path, stringMap(labels), detail)];
  });
  const selector = selectorOf(spec.selector);
  if (!(selector instanceof ParseError) && !matchesLabels(selector, expected)) {
    errors.push(invalidLiteral('spec.selector', labelSelector(spec.selector), '`selector` not auto-generated'));
  }
  return errors;
}

/** The pods of an indexed Job have its name and their index for a hostname. */
function hostnameErrors({ metadata: { name = '' }, spec }: Job): FieldError[] {
  const { completionMode, completions = 0 } = spec;
  const longest = `${name}-${completions - 1}`;
  if (completionMode !== 'Indexed' || completions <= 0 || dnsLabelProblems(longest).length === 0) return [];
  return [invalidField('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`)];
}

export function jobSpecErrors(spec: JobSpec, path: string): FieldError[] {
  return [...ownErrors(spec, path), ...selectorErrors(spec, path)];
}

function selectorErrors({ selector, template }: JobSpec, path: string): FieldError[] {
  const where = child(path, 'selector');
  const errors = selector ? labelSelectorErrors(selector, where) : [requiredField(where)];
  const parsed = selectorOf(selector);
  if (parsed instanceof ParseError || matchesLabels(parsed, template.metadata?.labels)) return errors;
  const detail = '`selector` does not match template `labels`';
  const labels = child(path, 'template.metadata.labels');
  return [...errors, invalidLiteral(labels, stringMap(template.metadata?.labels), detail)];
}

function ownErrors(spec: JobSpec, path: string): FieldError[] {
  const { maxFailedIndexes, backoffLimitPerIndex } = spec;
  const needsLimit = maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined;
  return [
    ...COUNTS.flatMap((name) => notNegative(child(path, name), spec[name])),
    ...(needsLimit ? [requiredField(child(path, 'backoffLimitPerIndex'), 'when maxFailedIndexes is specified')] : []),
    ...managerErrors(spec.managedBy, child(path, 'managedBy')),
    ...modeErrors(spec, path),
    ...failurePolicyErrors(spec, child(path, 'podFailurePolicy')),
    ...successPolicyErrors(spec, child(path, 'successPolicy')),
    ...replacementErrors(spec, child(path, 'podReplacementPolicy')),
    ...templateErrors(spec.template, child(path, 'template')),
    ...restartErrors(spec, child(path, 'template.spec.restartPolicy')),
  ];
}

/** `example.com/queue` */
function managerErrors(manager: string | undefined, path: string): FieldError[] {
  if (manager === undefined) return [];
  if (manager === '') return [requiredField(path)];
  const long = manager.length > MAX_MANAGER_LENGTH ? [tooLongField(path, MAX_MANAGER_LENGTH)] : [];
  const slash = manager.indexOf('/');
  const [host, rest] = [manager.slice(0, Math.max(slash, 0)), manager.slice(slash + 1)];
  if (host === '' || rest === '') {
    return [invalidField(path, manager, 'must be a domain-prefixed path (such as "acme.io/foo")'), ...long];
  }
  const fmt = String.raw`[A-Za-z0-9/\-._~%!$&'()*+,;=:]+`;
  const isPath = new RegExp(`^${fmt}$`).test(rest);
  return [
    ...problemsAt(path, host, dnsSubdomainProblems(host)),
    ...(isPath ? [] : [invalidField(path, rest, `Invalid path (regex used for validation is '${fmt}')`)]),
    ...long,
  ];
}

function modeErrors(spec: JobSpec, path: string): FieldError[] {
  const mode: string = spec.completionMode ?? 'NonIndexed';
  if (mode === 'Indexed') return indexedErrors(spec, path);
  if (mode !== 'NonIndexed') return [notSupportedField(child(path, 'completionMode'), mode, MODES)];
  return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
    .filter((name) => spec[name] !== undefined)
    .map((name) => invalidField(child(path, name), spec[name], 'requires indexed completion mode'));
}

function indexedErrors(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes = 0 } = spec;
  const atMost = (name: 'parallelism' | 'maxFailedIndexes', limit: number, text: string) =>
    (spec[name] ?? 0) > limit
      ? [invalidField(child(path, name), spec[name], `must be less than or equal to ${text}`)]
      : [];
  const missing = completions === undefined;
  return [
    ...(missing ? [requiredField(child(path, 'completions'), 'when completion mode is Indexed')] : []),
    ...(parallelism > MAX_PARALLELISM
      ? atMost('parallelism', MAX_PARALLELISM, `${MAX_PARALLELISM} when completion mode is Indexed`)
      : []),
    ...(missing ? [] : atMost('maxFailedIndexes', completions, 'completions')),
    ...(maxFailedIndexes > MAX_FAILED_INDEXES
      ? atMost('maxFailedIndexes', MAX_FAILED_INDEXES, String(MAX_FAILED_INDEXES))
      : []),
    ...manyErrors(spec, path),
  ];
}

/** Many completions with a limit per index: both lists of indexes may grow. */
function manyErrors(spec: JobSpec, path: string): FieldError[] {
  const { completions = 0, backoffLimitPerIndex, maxFailedIndexes, parallelism = 0 } = spec;
  if (completions <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return [];
  const when = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  const atMost = (name: 'parallelism' | 'maxFailedIndexes', limit: number) =>
    invalidField(child(path, name), spec[name], `must be less than or equal to ${limit} ${when}`);
  const detail = `must be specified when completions is above ${MANY_COMPLETIONS}`;
  return [
    ...(maxFailedIndexes === undefined ? [requiredField(child(path, 'maxFailedIndexes'), detail)] : []),
    ...(parallelism > MAX_PARALLELISM_OF_MANY ? [atMost('parallelism', MAX_PARALLELISM_OF_MANY)] : []),
    ...((maxFailedIndexes ?? 0) > MAX_FAILED_INDEXES_OF_MANY
      ? [atMost('maxFailedIndexes', MAX_FAILED_INDEXES_OF_MANY)]
      : []),
  ];
}

function replacementErrors({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const supported = podFailurePolicy ? ['Failed'] : REPLACEMENTS;
  return policy === undefined || supported.includes(policy) ? [] : [notSupportedField(path, policy, supported)];
}

function restartErrors({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const policy: string = template.spec.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') return [requiredField(path, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupportedField(path, policy, ['OnFailure', 'Never'])];
  if (!podFailurePolicy || policy === 'Never') return [];
  return [invalidField(path, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}
