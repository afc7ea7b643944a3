/** What may still be changed of a pod that exists: images, deadlines, tolerations; the rest is fixed. */
import { clone, deepEqual } from '#base/json.ts';
import { child, type FieldError, forbiddenField, index, invalidField, requiredField } from '#kube/field-error.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { ContainerStatus } from '#kube/kinds/core/pod-status.ts';
import { rangeProblems } from '#kube/names.ts';
import { MAX_INT32, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { tolerationErrors } from '#apiserver/pod-spec/placement.ts';

const CHANGEABLE = [
  'spec.containers[*].image',
  'spec.initContainers[*].image',
  'spec.activeDeadlineSeconds',
  'spec.tolerations (only additions to existing tolerations)',
  'spec.terminationGracePeriodSeconds (allow it to be set to 1 if it was previously negative)',
];

export function podUpdateErrors({ spec }: Pod, { spec: old }: Pod): FieldError[] {
  for (const name of ['containers', 'initContainers'] as const) {
    if ((spec[name] ?? []).length !== (old[name] ?? []).length) {
      return [forbiddenField(child('spec', name), 'pod updates may not add or remove containers')];
    }
  }
  const images = (['containers', 'initContainers'] as const).flatMap((name) =>
    imageErrors(spec[name] ?? [], child('spec', name)),
  );
  const tolerations = addedTolerationErrors(spec, old);
  const errors = [...images, ...deadlineErrors(spec, old), ...tolerations];
  if (deepEqual(spec, old) || deepEqual(withChangeable(spec, old), old)) return errors;
  const detail = `pod updates may not change fields other than ${CHANGEABLE.map((name) => `\`${name}\``).join(',')}`;
  return [...errors, forbiddenField('spec', `${detail}\n`)];
}

function imageErrors(containers: readonly Container[], path: string): FieldError[] {
  return containers.flatMap(({ image = '' }, position) => {
    const where = child(index(path, position), 'image');
    if (image === '') return [requiredField(where)];
    return image === image.trim() ? [] : [invalidField(where, image, 'must not have leading or trailing whitespace')];
  });
}

function deadlineErrors(
  { activeDeadlineSeconds: now }: PodSpec,
  { activeDeadlineSeconds: before }: PodSpec,
): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  if (now === undefined) {
    return before === undefined
      ? []
      : [invalidField(path, null, 'must not update from a positive integer to nil value')];
  }
  const problems = rangeProblems(now, 0, MAX_INT32);
  if (problems.length > 0) return problemsAt(path, now, problems);
  if (before === undefined || before >= now) return [];
  return [invalidField(path, now, 'must be less than or equal to previous value')];
}

function addedTolerationErrors({ tolerations = [] }: PodSpec, { tolerations: before = [] }: PodSpec): FieldError[] {
  const path = 'spec.tolerations';
  const isKept = before.every((old) =>
    tolerations.some((now) => deepEqual({ ...old, tolerationSeconds: now.tolerationSeconds }, now)),
  );
  const detail = 'existing toleration can not be modified except its tolerationSeconds';
  return isKept ? tolerationErrors(tolerations, path) : [forbiddenField(path, detail)];
}

/** The new spec with the old one's values wherever a change is allowed. */
function withChangeable(spec: PodSpec, old: PodSpec): PodSpec {
  const result = clone(spec);
  for (const name of ['containers', 'initContainers'] as const) {
    (result[name] ?? []).forEach((container, position) => {
      const image = old[name]?.[position]?.image;
      if (image !== undefined) container.image = image;
    });
  }
  if (old.activeDeadlineSeconds === undefined) delete result.activeDeadlineSeconds;
  else result.activeDeadlineSeconds = old.activeDeadlineSeconds;
  if (old.tolerations === undefined) delete result.tolerations;
  else result.tolerations = old.tolerations;
  if (old.schedulingGates !== undefined) result.schedulingGates = old.schedulingGates;
  const { terminationGracePeriodSeconds: grace } = old;
  if (grace !== undefined && grace < 0 && result.terminationGracePeriodSeconds === 1) {
    result.terminationGracePeriodSeconds = grace;
  }
  return result;
}

/** Containers that have ended for good do not come back. */
export function podStatusErrors(pod: Pod, old: Pod): FieldError[] {
  const { restartPolicy } = old.spec;
  if (restartPolicy === 'Always') return [];
  const now = pod.status?.containerStatuses ?? [];
  return (old.status?.containerStatuses ?? []).flatMap((before, position) => {
    if (!hasEnded(before, restartPolicy)) return [];
    const isBack = now.some(({ name, state }) => name === before.name && state?.terminated === undefined);
    const path = child(index('status.containerStatuses', position), 'state');
    return isBack ? [forbiddenField(path, 'may not be transitioned to non-terminated state')] : [];
  });
}

function hasEnded({ state }: ContainerStatus, restartPolicy: string | undefined): boolean {
  if (!state?.terminated) return false;
  return state.terminated.exitCode === 0 || restartPolicy !== 'OnFailure';
}
