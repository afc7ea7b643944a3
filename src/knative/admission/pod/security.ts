/** Rights of processes: what may be set, what is unsafe to leave out. */
import {
  asWarnings,
  disallowedField,
  type FieldErrors,
  fieldError,
  invalidValue,
  noErrors,
  outOfBounds,
  via,
} from '#knative/field-error.ts';
import { type FeaturesConfig, hasSecureDefaults } from '#knative/config/features.ts';
import { MAX_INT32 } from '#knative/go/numbers.ts';
import type { PodSecurityContext } from '#kube/kinds/core/security-context.ts';
import type { Container } from '#knative/kinds/revision-spec.ts';

export type ContainerSecurityContext = NonNullable<Container['securityContext']>;

const LOW_PORT_CAPABILITY = 'NET_BIND_SERVICE';
const ID_RANGE = [0, MAX_INT32] as const;

const CONTAINER_FIELDS = new Set([
  'capabilities',
  'readOnlyRootFilesystem',
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'allowPrivilegeEscalation',
  'seccompProfile',
]);

const POD_FIELDS = new Set([
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'fsGroup',
  'supplementalGroups',
  'seccompProfile',
]);

/** One error that lists the members of `object` for which `isAllowed` is false. */
export function refuseFields(object: object, isAllowed: (name: string) => boolean): FieldErrors {
  const refused = Object.keys(object).filter((name) => !isAllowed(name));
  return refused.length === 0 ? noErrors : disallowedField(...refused);
}

export function validateSecurityContext(context: ContainerSecurityContext, features: FeaturesConfig): FieldErrors {
  const isAllowed = (name: string) => CONTAINER_FIELDS.has(name) || (name === 'privileged' && !context.privileged);
  const { capabilities } = context;
  const refusesAdd = capabilities?.add !== undefined && !mayAdd(capabilities.add, features);
  return [
    ...refuseFields(context, isAllowed),
    ...(refusesAdd ? via('capabilities', disallowedField('add')) : noErrors),
    ...validateId(context.runAsUser, 'runAsUser'),
    ...validateId(context.runAsGroup, 'runAsGroup'),
  ];
}

function mayAdd(capabilities: readonly string[], features: FeaturesConfig): boolean {
  if (features.containerSpecAddCapabilities === 'Enabled') return true;
  return hasSecureDefaults(features) && capabilities.length === 1 && capabilities[0] === LOW_PORT_CAPABILITY;
}

function validateId(id: number | undefined, path: string): FieldErrors {
  return id === undefined || (id >= ID_RANGE[0] && id <= ID_RANGE[1]) ? noErrors : outOfBounds(id, ID_RANGE, path);
}

/** With secure defaults alone, only a harmless seccomp profile may be chosen for the whole pod. */
export function validatePodSecurityContext(context: PodSecurityContext, features: FeaturesConfig): FieldErrors {
  const isOpen = features.podSpecSecurityContext !== 'Disabled';
  const isHarmless = ['RuntimeDefault', 'Unconfined'].includes(context.seccompProfile?.type ?? '');
  const mayChooseProfile = hasSecureDefaults(features) && isHarmless && !context.seccompProfile?.localhostProfile;
  const isAllowed = (name: string) => (isOpen ? POD_FIELDS.has(name) : name === 'seccompProfile' && mayChooseProfile);
  const groups = context.supplementalGroups ?? [];
  return [
    ...refuseFields(context, isAllowed),
    ...validateId(context.runAsUser, 'runAsUser'),
    ...validateId(context.runAsGroup, 'runAsGroup'),
    ...validateId(context.fsGroup, 'fsGroup'),
    ...groups.flatMap((id, index) => validateId(id, `supplementalGroups[${index}]`)),
  ];
}

const INSECURE = 'Kubernetes default value is insecure, Knative may default this to secure in a future release';

/** Warnings about what Kubernetes leaves open where nothing is said. */
export function warnInsecure(
  pod: PodSecurityContext = {},
  container: ContainerSecurityContext = {},
  features: FeaturesConfig,
): FieldErrors {
  // Root is meant to be allowed then, so to leave it open is no oversight.
  if (features.securePodDefaults === 'AllowRootBounded') return noErrors;
  const { capabilities, seccompProfile } = container;
  const open: string[] = [];
  if (pod.runAsNonRoot === undefined && container.runAsNonRoot === undefined) open.push('runAsNonRoot');
  if (container.allowPrivilegeEscalation === undefined) open.push('allowPrivilegeEscalation');
  if (!seccompProfile && !pod.seccompProfile) open.push('seccompProfile');
  else if (!seccompProfile?.type && !pod.seccompProfile?.type) open.push('seccompProfile.type');
  if (!capabilities) open.push('capabilities');
  else if (!capabilities.drop) open.push('capabilities.drop');
  const isMisspelt = capabilities?.drop?.[0] === 'all';
  const ofSpelling = isMisspelt ? invalidValue('all', 'capabilities.drop', "Must be spelled as 'ALL'") : noErrors;
  const ofDefaults = open.length > 0 ? fieldError(INSECURE, open) : noErrors;
  return asWarnings([...ofDefaults, ...ofSpelling]);
}

/** What a container gets under secure-pod-defaults where it says nothing. */
export function secureContainer(container: Container, pod: PodSecurityContext, features: FeaturesConfig): void {
  if (!hasSecureDefaults(features)) return;
  const context: ContainerSecurityContext = { ...container.securityContext };
  context.allowPrivilegeEscalation ??= false;
  if (!pod.seccompProfile?.type) {
    context.seccompProfile = { ...context.seccompProfile, type: context.seccompProfile?.type || 'RuntimeDefault' };
  }
  context.capabilities ??= {
    drop: ['ALL'],
    ...((container.ports ?? []).some(({ containerPort }) => containerPort < 1024)
      ? { add: [LOW_PORT_CAPABILITY] }
      : {}),
  };
  // Even an explicit false is overridden, as recorded; only the pod's own setting counts.
  const mustNotBeRoot = features.securePodDefaults === 'Enabled' && pod.runAsNonRoot === undefined;
  if (mustNotBeRoot) context.runAsNonRoot = true;
  container.securityContext = context;
}
