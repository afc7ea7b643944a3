/** Tables of Deployments, ReplicaSets and Jobs. */
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import type { PodTemplateSpec } from '#kube/kinds/core/pod-spec.ts';
import type { LabelSelector } from '#kube/kinds/meta/label-selector.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { ParseError } from '#kube/parse-error.ts';
import { formatSelector, selectorOf } from '#kube/selectors.ts';
import { listOf } from '#apiserver/lists.ts';
import {
  ageColumn,
  ageOf,
  betweenText,
  column,
  nameColumn,
  noneIfEmpty,
  tableFor,
  wide,
} from '#apiserver/table/columns.ts';

const templateColumns = [
  wide('Containers', 'Names of the containers in the template.'),
  wide('Images', 'Images of the containers in the template.'),
  wide('Selector', 'Labels of its pods.'),
];

function templateCells(template: PodTemplateSpec | undefined): [string, string] {
  const containers = listOf(template?.spec.containers);
  return [containers.map(({ name }) => name).join(','), containers.map(({ image = '' }) => image).join(',')];
}

function selectorText(selector: LabelSelector | undefined): string {
  const parsed = selectorOf(selector);
  return parsed instanceof ParseError ? '<error>' : formatSelector(parsed);
}

export const deploymentTable = tableFor(Deployment, {
  columns: [
    nameColumn,
    column('Ready', 'Pods that are ready, of those that are wanted.'),
    column('Up-to-date', 'Pods made from the present template.'),
    column('Available', 'Pods that have been ready for long enough.'),
    ageColumn,
    ...templateColumns,
  ],
  row: (deployment, now) => {
    const { spec, status = {} } = deployment;
    return {
      cells: [
        deployment.metadata.name ?? '',
        `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
        status.updatedReplicas ?? 0,
        status.availableReplicas ?? 0,
        ageOf(deployment, now),
        ...templateCells(spec.template),
        selectorText(spec.selector),
      ],
    };
  },
});

const INTEGER = { type: 'integer' };

export const replicaSetTable = tableFor(ReplicaSet, {
  columns: [
    nameColumn,
    column('Desired', 'Pods that are wanted.', INTEGER),
    column('Current', 'Pods that are there.', INTEGER),
    column('Ready', 'Pods that are ready.', INTEGER),
    ageColumn,
    ...templateColumns,
  ],
  row: (replicaSet, now) => {
    const { spec, status } = replicaSet;
    return {
      cells: [
        replicaSet.metadata.name ?? '',
        spec.replicas ?? 0,
        status?.replicas ?? 0,
        status?.readyReplicas ?? 0,
        ageOf(replicaSet, now),
        ...templateCells(spec.template),
        noneIfEmpty(selectorText(spec.selector)),
      ],
    };
  },
});

export const jobTable = tableFor(Job, {
  columns: [
    nameColumn,
    column('Status', 'What the job is at.'),
    column('Completions', 'Pods that have succeeded, of those that should.'),
    column('Duration', 'How long it took, or has taken so far.'),
    ageColumn,
    ...templateColumns,
  ],
  row: (job, now) => ({
    cells: [
      job.metadata.name ?? '',
      jobStatus(job),
      completionsText(job),
      betweenText(job.status?.startTime, job.status?.completionTime, now),
      ageOf(job, now),
      ...templateCells(job.spec.template),
      noneIfEmpty(selectorText(job.spec.selector)),
    ],
  }),
});

function jobStatus(job: Job): string {
  const is = (wanted: string) =>
    (job.status?.conditions ?? []).some(({ type, status }) => type === wanted && status === 'True');
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (isBeingDeleted(job)) return 'Terminating';
  if (is('Suspended')) return 'Suspended';
  return is('FailureTarget') ? 'FailureTarget' : 'Running';
}

function completionsText({ spec, status }: Job): string {
  const { completions, parallelism = 0 } = spec;
  const succeeded = status?.succeeded ?? 0;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}
