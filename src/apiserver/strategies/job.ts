import { deepEqual } from '#base/json.ts';
import { type FieldError, invalidField, notSupportedField } from '#kube/field-error.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import type { JobSpec } from '#kube/kinds/batch/job-spec.ts';
import { specChanged } from '#apiserver/generation.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { notNegative } from '#apiserver/pod-spec/checks.ts';
import { setTemplateDefaults } from '#apiserver/pod-spec/defaults.ts';
import { templateErrors } from '#apiserver/pod-spec/validate.ts';
import { statusStrategy } from '#apiserver/strategies/workloads.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const DEFAULT_BACKOFF_LIMIT = 6;
const NO_BACKOFF_LIMIT = 2 ** 31 - 1;
const RESTART_POLICIES = ['OnFailure', 'Never'];

const UID_LABEL = 'batch.kubernetes.io/controller-uid';
const NAME_LABEL = 'batch.kubernetes.io/job-name';
const OLD_UID_LABEL = 'controller-uid';
const OLD_NAME_LABEL = 'job-name';

export const jobStrategy = strategyOf(Job, {
  isNewGeneration: specChanged,
  defaultPropagation: 'Orphan',
  setDefaults({ spec }) {
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? DEFAULT_BACKOFF_LIMIT : NO_BACKOFF_LIMIT;
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(job) {
    if (job.spec.manualSelector !== true) nameOwnPods(job);
    const { labels } = job.spec.template.metadata ?? {};
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
  },
  validate: ({ spec }) => specErrors(spec),
  validateUpdate: ({ spec }, { spec: old }) => [...specErrors(spec), ...fixedErrors(spec, old)],
  subresources: { status: statusStrategy(() => []) },
});

/** The pods of a Job carry its uid, and its selector means just those. */
function nameOwnPods({ metadata, spec }: Job): void {
  const { uid = '', name = '' } = metadata;
  const own = { [UID_LABEL]: uid, [OLD_UID_LABEL]: uid, [NAME_LABEL]: name, [OLD_NAME_LABEL]: name };
  spec.template.metadata = { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...own } };
  spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, [UID_LABEL]: uid } };
}

function specErrors(spec: JobSpec): FieldError[] {
  const { parallelism, completions, activeDeadlineSeconds, backoffLimit, ttlSecondsAfterFinished, template } = spec;
  const restartPolicy: string = template.spec.restartPolicy ?? '';
  const path = 'spec.template.spec.restartPolicy';
  return [
    ...notNegative('spec.parallelism', parallelism),
    ...notNegative('spec.completions', completions),
    ...notNegative('spec.activeDeadlineSeconds', activeDeadlineSeconds),
    ...notNegative('spec.backoffLimit', backoffLimit),
    ...notNegative('spec.ttlSecondsAfterFinished', ttlSecondsAfterFinished),
    ...templateErrors(template, 'spec.template'),
    ...(RESTART_POLICIES.includes(restartPolicy) ? [] : [notSupportedField(path, restartPolicy, RESTART_POLICIES)]),
  ];
}

function fixedErrors(spec: JobSpec, old: JobSpec): FieldError[] {
  const isSuspended = old.suspend === true;
  const names = ['completions', 'selector', ...(isSuspended ? [] : ['template']), 'completionMode'] as const;
  return names
    .filter((name) => !deepEqual(spec[name as keyof JobSpec], old[name as keyof JobSpec]))
    .map((name) => invalidField(`spec.${name}`, spec[name as keyof JobSpec], IMMUTABLE));
}
