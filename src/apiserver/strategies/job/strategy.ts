import { Job } from '#kube/kinds/batch/job.ts';
import { dnsLabelProblems } from '#kube/names.ts';
import { specChanged } from '#apiserver/generation.ts';
import { listOf } from '#apiserver/lists.ts';
import { setTemplateDefaults } from '#apiserver/pod-spec/defaults.ts';
import { fractionWarnings } from '#apiserver/pod-spec/resources.ts';
import { jobErrors } from '#apiserver/strategies/job/spec.ts';
import { jobStatusErrors } from '#apiserver/strategies/job/status.ts';
import { jobUpdateErrors } from '#apiserver/strategies/job/update.ts';
import { statusStrategy } from '#apiserver/strategies/workloads.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const DEFAULT_BACKOFF_LIMIT = 6;
const NO_BACKOFF_LIMIT = 2 ** 31 - 1;

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
    spec.manualSelector ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    for (const { onPodConditions } of listOf(spec.podFailurePolicy?.rules)) {
      for (const pattern of onPodConditions ?? []) pattern.status ||= 'True';
    }
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(job) {
    if (job.spec.manualSelector !== true) nameOwnPods(job);
    takeLabels(job);
  },
  prepareForUpdate: takeLabels,
  validate: jobErrors,
  validateUpdate: jobUpdateErrors,
  warnings: (job, old) => [...(old ? [] : nameWarnings(job)), ...specWarnings(job, old)],
  subresources: { status: statusStrategy((job, old) => jobStatusErrors(job as Job, old as Job)) },
});

/** A Job without labels has those of its pods. */
function takeLabels({ metadata, spec }: Job): void {
  const { labels } = spec.template.metadata ?? {};
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

/** The pods of a Job carry its uid, and its selector means just those. Labels that say otherwise are refused later. */
function nameOwnPods({ metadata, spec }: Job): void {
  const { uid = '', name = '' } = metadata;
  const own = { [UID_LABEL]: uid, [OLD_UID_LABEL]: uid, [NAME_LABEL]: name, [OLD_NAME_LABEL]: name };
  spec.template.metadata = { ...spec.template.metadata, labels: { ...own, ...spec.template.metadata?.labels } };
  spec.selector = { ...spec.selector, matchLabels: { [UID_LABEL]: uid, ...spec.selector?.matchLabels } };
}

function nameWarnings({ metadata: { name = '' } }: Job): string[] {
  const problems = dnsLabelProblems(name);
  if (problems.length === 0) return [];
  const effect = 'this is used in Pod names and hostnames, which can result in surprising behavior';
  return [`metadata.name: ${effect}; a DNS label is recommended: [${problems.join(' ')}]`];
}

/** Beyond these the indexes that succeeded and failed may not fit into the status. */
const MANY_COMPLETIONS = 100_000;
const MUCH_PARALLELISM = 10_000;

function specWarnings({ spec, metadata }: Job, old: Job | undefined): string[] {
  if (old && old.metadata.generation === metadata.generation) return [];
  const { completionMode, completions = 0, parallelism = 0, template } = spec;
  const isHuge = completionMode === 'Indexed' && completions > MANY_COMPLETIONS && parallelism > MUCH_PARALLELISM;
  const limits = 'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4,';
  const effect = 'Kubernetes might not be able to track completedIndexes when a big number of indexes fail';
  return [
    ...(isHuge ? [`spec: ${limits} ${effect}`] : []),
    ...fractionWarnings(listOf(template.spec.containers), 'spec.template.spec.containers'),
  ];
}
