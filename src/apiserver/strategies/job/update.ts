/** What an update of a Job may change: how many run at once, limits of time and failures, whether it is suspended. */
import { clone, deepEqual } from '#base/json.ts';
import { child, type FieldError, invalidField } from '#kube/field-error.ts';
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobSpec } from '#kube/kinds/batch/job-spec.ts';
import type { PodTemplateSpec } from '#kube/kinds/core/pod-spec.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { jobErrors, jobSpecErrors } from '#apiserver/strategies/job/spec.ts';
import { invalidLiteral, labelSelector } from '#apiserver/strategies/literals.ts';

const FIXED = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

/** The spec is looked at twice, as Kubernetes does. */
export function jobUpdateErrors(job: Job, old: Job): FieldError[] {
  const { spec } = job;
  return [
    ...jobErrors(job),
    ...jobSpecErrors(spec, 'spec'),
    ...completionsErrors(spec, old.spec, 'spec.completions'),
    ...selectorErrors(spec, old.spec, 'spec.selector'),
    ...templateChangeErrors(spec, old, 'spec.template'),
    ...FIXED.filter((name) => !deepEqual(spec[name], old.spec[name])).map((name) =>
      invalidField(child('spec', name), spec[name], IMMUTABLE),
    ),
  ];
}

/** An indexed Job may grow and shrink, as long as all its indexes run at once. */
function completionsErrors(spec: JobSpec, old: JobSpec, path: string): FieldError[] {
  const { completions, parallelism, completionMode } = spec;
  if (completions === old.completions) return [];
  if (completionMode !== 'Indexed') return [invalidField(path, completions, IMMUTABLE)];
  if (completions === undefined || completions === parallelism) return [];
  return [invalidField(path, completions, 'can only be modified in tandem with spec.parallelism')];
}

function selectorErrors({ selector }: JobSpec, { selector: old }: JobSpec, path: string): FieldError[] {
  if (deepEqual(selector, old)) return [];
  return [selector ? invalidLiteral(path, labelSelector(selector), IMMUTABLE) : invalidField(path, null, IMMUTABLE)];
}

/** As long as a suspended Job has not been started, where its pods are to run may be changed. */
function templateChangeErrors({ template }: JobSpec, { spec, status }: Job, path: string): FieldError[] {
  const isWaiting = spec.suspend === true && status?.startTime === undefined;
  const before = isWaiting ? placedLike(spec.template, template) : spec.template;
  return deepEqual(template, before) ? [] : [invalidField(path, template, IMMUTABLE)];
}

/** `template`, with all that says where its pods run as in `other`. */
function placedLike(template: PodTemplateSpec, other: PodTemplateSpec): PodTemplateSpec {
  const placed = clone(template);
  const { nodeSelector, tolerations, schedulingGates, affinity } = other.spec;
  const nodeAffinity = affinity?.nodeAffinity;
  const merged = { ...placed.spec.affinity, nodeAffinity };
  const isEmpty = !affinity && Object.values(merged).every((part) => part === undefined);
  Object.assign(placed.spec, { nodeSelector, tolerations, schedulingGates, affinity: isEmpty ? undefined : merged });
  const { labels, annotations } = other.metadata ?? {};
  placed.metadata = { ...placed.metadata, labels, annotations };
  return withoutAbsent(placed);
}

/** Members that are undefined are taken out, for the comparison. */
function withoutAbsent<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
