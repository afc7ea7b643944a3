/** How traffic is shared: defaults and rules of spec.traffic, in a Service and in a Route. */
import { dns1035LabelProblems, qualifiedNameProblems } from '#kube/names.ts';
import {
  disallowedField,
  expectedOneOf,
  type FieldErrors,
  fieldError,
  invalidKeyName,
  invalidValue,
  noErrors,
  outOfBounds,
  via,
} from '#knative/field-error.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { goList } from '#knative/admission/metadata.ts';

/** In a Service the Configuration goes without saying, and may not be named. */
export type TrafficOwner = 'Service' | 'Route';

export function defaultTraffic(traffic: TrafficTarget[] | undefined, owner: TrafficOwner): TrafficTarget[] | undefined {
  const isImplied = owner === 'Service' && (traffic ?? []).length === 0;
  const targets: TrafficTarget[] | undefined = isImplied ? [{ percent: 100 }] : traffic;
  return targets?.map((target) => ({
    ...target,
    latestRevision: target.latestRevision ?? !target.revisionName,
    percent: target.percent ?? 0,
  }));
}

export function validateTraffic(traffic: readonly TrafficTarget[], owner: TrafficOwner): FieldErrors {
  const sum = traffic.reduce((total, { percent }) => total + (percent ?? 0), 0);
  const ofSum = sum === 100 ? noErrors : fieldError(`Traffic targets sum to ${sum}, want 100`, '');
  const ofTargets = traffic.flatMap((target, index) => via(`[${index}]`, validateTarget(target, owner)));
  return via('traffic', [...ofTargets, ...validateTags(traffic), ...ofSum]);
}

function validateTags(traffic: readonly TrafficTarget[]): FieldErrors {
  const firstWith = new Map<string, number>();
  return traffic.flatMap(({ tag }, index) => {
    if (!tag) return noErrors;
    const problems = dns1035LabelProblems(tag);
    const ofForm =
      problems.length > 0 ? invalidValue(`not a DNS 1035 label: ${goList(problems)}`, `tag[${index}]`) : noErrors;
    const first = firstWith.get(tag);
    if (first !== undefined) {
      return [...ofForm, ...fieldError(`Multiple definitions for "${tag}"`, [`[${first}].tag`, `[${index}].tag`])];
    }
    firstWith.set(tag, index);
    return ofForm;
  });
}

function validateTarget(target: TrafficTarget, owner: TrafficOwner): FieldErrors {
  const { percent = 0, url } = target;
  return [
    ...validateLatest(target),
    ...validateSubject(target, owner),
    ...(percent < 0 || percent > 100 ? outOfBounds(percent, [0, 100], 'percent') : noErrors),
    ...(url ? disallowedField('url') : noErrors),
  ];
}

function validateLatest({ latestRevision, revisionName = '' }: TrafficTarget): FieldErrors {
  const isPinned = revisionName !== '';
  if (latestRevision === undefined || latestRevision !== isPinned) return noErrors;
  const text = `may not set revisionName ${JSON.stringify(revisionName)} when latestRevision is ${latestRevision}`;
  return fieldError(text, 'latestRevision');
}

/** What the share goes to: a Revision, or in a Route a Configuration. */
function validateSubject({ revisionName, configurationName }: TrafficTarget, owner: TrafficOwner): FieldErrors {
  const both = ['revisionName', 'configurationName'];
  if (owner === 'Service' && configurationName) return disallowedField('configurationName');
  if (revisionName && configurationName) return expectedOneOf('both', both);
  if (revisionName) return validateSubjectName(revisionName, 'revisionName');
  if (configurationName) return validateSubjectName(configurationName, 'configurationName');
  return owner === 'Service' ? noErrors : expectedOneOf('neither', both);
}

function validateSubjectName(name: string, field: string): FieldErrors {
  const problems = qualifiedNameProblems(name);
  return problems.length > 0 ? invalidKeyName(name, field, problems.join(', ')) : noErrors;
}
