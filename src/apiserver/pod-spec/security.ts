/** Security settings of pods and containers. */
import {
  child,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { SeccompProfile, SecurityContext } from '#kube/kinds/core/security-context.ts';
import { descendingPathErrors, idErrors } from '#apiserver/pod-spec/checks.ts';

const SECCOMP_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const PROC_MOUNTS = ['Default', 'Unmasked'];
const CHANGE_POLICIES = ['Always', 'OnRootMismatch'];

export function securityContextErrors(context: SecurityContext | undefined, path: string): FieldError[] {
  if (!context) return [];
  const { runAsUser, runAsGroup, procMount, privileged, allowPrivilegeEscalation, capabilities } = context;
  const errors = [...idErrors(child(path, 'runAsUser'), runAsUser), ...idErrors(child(path, 'runAsGroup'), runAsGroup)];
  if (procMount !== undefined && !PROC_MOUNTS.includes(procMount)) {
    errors.push(notSupportedField(child(path, 'procMount'), procMount, PROC_MOUNTS));
  }
  if (procMount === 'Unmasked') {
    errors.push(invalidField(child(path, 'procMount'), procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  errors.push(...seccompErrors(context.seccompProfile, child(path, 'seccompProfile')));
  if (allowPrivilegeEscalation !== false) return errors;
  if (privileged) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
    errors.push(invalidField(path, context, detail));
  }
  if (capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
    errors.push(invalidField(path, context, detail));
  }
  return errors;
}

export function podSecurityErrors(spec: PodSpec, path: string): FieldError[] {
  const context = spec.securityContext;
  if (!context) return [];
  const here = child(path, 'securityContext');
  const { fsGroup, runAsUser, runAsGroup, supplementalGroups = [], fsGroupChangePolicy } = context;
  const errors = [
    ...idErrors(child(here, 'fsGroup'), fsGroup),
    ...idErrors(child(here, 'runAsUser'), runAsUser),
    ...idErrors(child(here, 'runAsGroup'), runAsGroup),
    ...supplementalGroups.flatMap((group, position) =>
      idErrors(index(child(here, 'supplementalGroups'), position), group),
    ),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalidField(child(here, 'shareProcessNamespace'), true, detail));
  }
  if (fsGroupChangePolicy !== undefined && !CHANGE_POLICIES.includes(fsGroupChangePolicy)) {
    errors.push(notSupportedField(child(here, 'fsGroupChangePolicy'), fsGroupChangePolicy, CHANGE_POLICIES));
  }
  return [...errors, ...seccompErrors(context.seccompProfile, child(here, 'seccompProfile'))];
}

/** User ids of its own go with namespaces of its own only. */
export function hostUsersErrors({ hostUsers, hostNetwork, hostPID, hostIPC }: PodSpec, path: string): FieldError[] {
  if (hostUsers !== false) return [];
  const shared: readonly (readonly [string, boolean | undefined])[] = [
    ['hostNetwork', hostNetwork],
    ['HostPID', hostPID],
    ['HostIPC', hostIPC],
  ];
  return shared
    .filter(([, isShared]) => isShared)
    .map(([name]) => forbiddenField(child(path, name), 'when `pod.Spec.HostUsers` is false'));
}

function seccompErrors(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (!type) errors.push(requiredField(child(path, 'type'), 'type is required when seccompProfile is set'));
  else if (!SECCOMP_TYPES.includes(type)) errors.push(notSupportedField(child(path, 'type'), type, SECCOMP_TYPES));
  const where = child(path, 'localhostProfile');
  if (type !== 'Localhost') {
    if (localhostProfile === undefined) return errors;
    return [...errors, invalidField(where, profile, 'can only be set when seccomp type is Localhost')];
  }
  if (localhostProfile === undefined) {
    return [...errors, requiredField(where, 'must be set when seccomp type is Localhost')];
  }
  return [...errors, ...descendingPathErrors(where, localhostProfile)];
}
