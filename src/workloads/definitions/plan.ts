/** What the status of a CustomResourceDefinition says. Pure. */
import { type DefinitionCondition, isTrueOf } from '#kube/defined-kind.ts';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { formatTime } from '#kube/time.ts';
import { acceptNames, type Conflict } from '#workloads/definitions/names.ts';

export type DefinitionStatus = NonNullable<CustomResourceDefinition['status']>;
type Claim = Pick<DefinitionCondition, 'type' | 'status' | 'reason' | 'message'>;

const APPROVAL_ANNOTATION = 'api-approved.kubernetes.io';
const APPROVAL_GUIDE = 'see https://github.com/kubernetes/enhancements/pull/1111';

export interface DefinitionWorld {
  readonly definition: CustomResourceDefinition;
  /** Every definition of the same group, with or without this one. */
  readonly group: readonly CustomResourceDefinition[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** The status of a definition that is there to stay: its names, and whether its kinds are served. */
export function planStatus({ definition, group, nowMs }: DefinitionWorld): DefinitionStatus {
  const others = group.filter(({ metadata }) => metadata.name !== definition.metadata.name);
  const { accepted, conflict } = acceptNames(definition, others);
  const claims = [namesClaim(conflict), ...establishedClaim(definition, conflict), ...approvalClaim(definition)];
  const conditions = claims.reduce((known, claim) => withClaim(known, claim, nowMs), [...conditionsOf(definition)]);
  return { ...definition.status, conditions, acceptedNames: accepted, storedVersions: storedVersionsOf(definition) };
}

/** The status of a definition that is going, with one claim about how far it is. */
export function terminatingStatus(
  definition: CustomResourceDefinition,
  claim: Omit<Claim, 'type'>,
  nowMs: number,
): DefinitionStatus {
  const conditions = withClaim(conditionsOf(definition), { type: 'Terminating', ...claim }, nowMs);
  const acceptedNames = definition.status?.acceptedNames ?? { plural: '', kind: '' };
  return { ...definition.status, conditions, acceptedNames, storedVersions: storedVersionsOf(definition) };
}

function conditionsOf({ status }: CustomResourceDefinition): readonly DefinitionCondition[] {
  return status?.conditions ?? [];
}

function storedVersionsOf({ status }: CustomResourceDefinition): string[] {
  return [...(status?.storedVersions ?? [])];
}

function namesClaim(conflict: Conflict | undefined): Claim {
  if (conflict) return { type: 'NamesAccepted', status: 'False', ...conflict };
  return { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
}

/** What was established once stays so: its objects are there. */
function establishedClaim(definition: CustomResourceDefinition, conflict: Conflict | undefined): Claim[] {
  if (isTrueOf(definition, 'Established')) return [];
  if (conflict) {
    const message = 'not all names are accepted';
    return [{ type: 'Established', status: 'False', reason: 'NotAccepted', message }];
  }
  const message = 'the initial names have been accepted';
  return [{ type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message }];
}

/** Kubernetes' own groups want to see where somebody agreed. */
function approvalClaim({ spec, metadata }: CustomResourceDefinition): Claim[] {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec.group)) return [];
  return [
    { type: 'KubernetesAPIApprovalPolicyConformant', ...approvalOf(metadata.annotations?.[APPROVAL_ANNOTATION]) },
  ];
}

function approvalOf(approval = ''): Omit<Claim, 'type'> {
  const rule = `protected groups must have approval annotation ${JSON.stringify(APPROVAL_ANNOTATION)}`;
  if (approval === '') return { status: 'False', reason: 'MissingAnnotation', message: `${rule}, ${APPROVAL_GUIDE}` };
  if (approval.startsWith('unapproved')) {
    return { status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(approval)}` };
  }
  if (URL.canParse(approval) && new URL(approval).host !== '') {
    return { status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${approval}` };
  }
  const message = `${rule} with either a URL or a reason starting with "unapproved", ${APPROVAL_GUIDE}`;
  return { status: 'False', reason: 'InvalidAnnotation', message };
}

function withClaim(known: readonly DefinitionCondition[], claim: Claim, nowMs: number): DefinitionCondition[] {
  const at = known.findIndex(({ type }) => type === claim.type);
  const before = known[at];
  const isOld = before?.status === claim.status && before.lastTransitionTime;
  const condition = { ...claim, lastTransitionTime: isOld ? before.lastTransitionTime : formatTime(nowMs) };
  return before ? known.with(at, condition) : [...known, condition];
}
