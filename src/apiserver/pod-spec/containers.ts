/** Containers of a pod: what they are made of, and which names and ports must not meet. */
import {
  child,
  duplicateField,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notFoundField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type { Container, ContainerPort, VolumeMount } from '#kube/kinds/core/container.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import { portNameProblems, portNumberProblems } from '#kube/names.ts';
import { listOf } from '#apiserver/lists.ts';
import { at, descendingPathErrors, dnsLabelErrors, problemsAt, requiredText } from '#apiserver/pod-spec/checks.ts';
import { envErrors, envFromErrors } from '#apiserver/pod-spec/environment.ts';
import { handlerErrors, probeErrors } from '#apiserver/pod-spec/probes.ts';
import { requirementErrors } from '#apiserver/pod-spec/resources.ts';
import { securityContextErrors } from '#apiserver/pod-spec/security.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];
const MOUNT_PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

export interface PodContext {
  readonly spec: PodSpec;
  /** Names of the volumes that are good enough to be mounted. */
  readonly volumes: ReadonlySet<string>;
}

export function containersErrors(context: PodContext, path: string): FieldError[] {
  const containers = listOf(context.spec.containers);
  if (containers.length === 0) return [requiredField(path)];
  const names = new Set<string>();
  const errors = containers.flatMap((container, position) => {
    const here = index(path, position);
    const own = [...commonErrors(container, context, here), ...nameTaken(names, container.name, here)];
    return [...own, ...runningErrors(container, context, here), ...mainOnlyErrors(container, here)];
  });
  return [...errors, ...hostPortErrors(containers, path)];
}

function mainOnlyErrors({ restartPolicy }: Container, path: string): FieldError[] {
  if (restartPolicy === undefined) return [];
  return [forbiddenField(child(path, 'restartPolicy'), 'may not be set for non-init containers')];
}

export function initContainersErrors(context: PodContext, path: string): FieldError[] {
  const names = new Set(listOf(context.spec.containers).map(({ name }) => name));
  return (context.spec.initContainers ?? []).flatMap((container, position) => {
    const here = index(path, position);
    const policy = container.restartPolicy;
    return [
      ...commonErrors(container, context, here),
      ...(policy === undefined || policy === 'Always'
        ? []
        : [notSupportedField(child(here, 'restartPolicy'), policy, ['Always'])]),
      ...nameTaken(names, container.name, here),
      ...hostPortErrors([container], path),
      ...(policy === 'Always' ? runningErrors(container, context, here) : initOnlyErrors(container, here)),
    ];
  });
}

function initOnlyErrors(container: Container, path: string): FieldError[] {
  const detail = 'may not be set for init containers without restartPolicy=Always';
  return (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    .filter((name) => container[name] !== undefined)
    .map((name) => forbiddenField(child(path, name), detail));
}

function nameTaken(names: Set<string>, name: string, path: string): FieldError[] {
  if (names.has(name)) return [duplicateField(child(path, 'name'), name)];
  if (name !== '') names.add(name);
  return [];
}

/** What containers that stay may have: probes and hooks. */
function runningErrors(container: Container, { spec }: PodContext, path: string): FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  const grace = spec.terminationGracePeriodSeconds;
  const hook = (name: 'postStart' | 'preStop') => {
    const handler = lifecycle?.[name];
    return handler ? handlerErrors(handler, at(path, 'lifecycle', name), grace) : [];
  };
  return [
    ...hook('postStart'),
    ...hook('preStop'),
    ...probeErrors(livenessProbe, child(path, 'livenessProbe'), { succeedsOnce: 'always', grace }),
    ...probeErrors(readinessProbe, child(path, 'readinessProbe'), { succeedsOnce: 'never', grace }),
    ...probeErrors(startupProbe, child(path, 'startupProbe'), { succeedsOnce: 'always', grace }),
  ];
}

function commonErrors(container: Container, context: PodContext, path: string): FieldError[] {
  const { name, image, imagePullPolicy = '', terminationMessagePolicy = '' } = container;
  return [
    ...(name ? dnsLabelErrors(child(path, 'name'), name) : [requiredField(child(path, 'name'))]),
    ...requiredText(child(path, 'image'), image),
    ...supportedErrors(child(path, 'terminationMessagePolicy'), terminationMessagePolicy, MESSAGE_POLICIES),
    ...portErrors(container.ports ?? [], child(path, 'ports')),
    ...envErrors(container.env ?? [], child(path, 'env')),
    ...envFromErrors(container.envFrom ?? [], child(path, 'envFrom')),
    ...mountErrors(container, context, child(path, 'volumeMounts')),
    ...supportedErrors(child(path, 'imagePullPolicy'), imagePullPolicy, PULL_POLICIES),
    ...requirementErrors(container.resources, child(path, 'resources')),
    ...securityContextErrors(container.securityContext, child(path, 'securityContext')),
  ];
}

export function supportedErrors(path: string, value: string, supported: readonly string[]): FieldError[] {
  if (value === '') return [requiredField(path)];
  return supported.includes(value) ? [] : [notSupportedField(path, value, supported)];
}

function portErrors(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, position) => {
    const here = index(path, position);
    const { containerPort, hostPort } = port;
    return [
      ...portNameErrors(names, port.name ?? '', child(here, 'name')),
      ...(containerPort
        ? problemsAt(child(here, 'containerPort'), containerPort, portNumberProblems(containerPort))
        : [requiredField(child(here, 'containerPort'))]),
      ...(hostPort ? problemsAt(child(here, 'hostPort'), hostPort, portNumberProblems(hostPort)) : []),
      ...supportedErrors(child(here, 'protocol'), port.protocol ?? '', PROTOCOLS),
    ];
  });
}

function portNameErrors(names: Set<string>, name: string, path: string): FieldError[] {
  if (name === '') return [];
  const problems = portNameProblems(name);
  if (problems.length > 0) return problemsAt(path, name, problems);
  if (names.has(name)) return [duplicateField(path, name)];
  names.add(name);
  return [];
}

function hostPortErrors(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports = [] }, position) =>
    ports.flatMap(({ protocol, hostIP = '', hostPort }, portPosition) => {
      if (!hostPort) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      const here = index(child(index(path, position), 'ports'), portPosition);
      if (taken.has(key)) return [duplicateField(child(here, 'hostPort'), key)];
      taken.add(key);
      return [];
    }),
  );
}

function mountErrors(container: Container, { volumes }: PodContext, path: string): FieldError[] {
  const places = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, position) => {
    const here = index(path, position);
    const { name, mountPath } = mount;
    const errors = [
      ...requiredText(child(here, 'name'), name),
      ...(volumes.has(name) ? [] : [notFoundField(child(here, 'name'), name)]),
      ...requiredText(child(here, 'mountPath'), mountPath),
      ...(places.has(mountPath) ? [invalidField(child(here, 'mountPath'), mountPath, 'must be unique')] : []),
      // These two name the list's path, not the element's: so does the real server.
      ...(mount.subPath ? descendingPathErrors(child(path, 'subPath'), mount.subPath) : []),
      ...subPathExprErrors(mount, { here, path }),
      ...propagationErrors(mount, container, child(path, 'mountPropagation')),
    ];
    places.add(mountPath);
    return errors;
  });
}

function subPathExprErrors(
  { subPath, subPathExpr }: VolumeMount,
  { here, path }: { here: string; path: string },
): FieldError[] {
  if (!subPathExpr) return [];
  const both = invalidField(child(here, 'subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive');
  return [...(subPath ? [both] : []), ...descendingPathErrors(child(path, 'subPathExpr'), subPathExpr)];
}

function propagationErrors({ mountPropagation }: VolumeMount, container: Container, path: string): FieldError[] {
  if (mountPropagation === undefined) return [];
  const errors = MOUNT_PROPAGATIONS.includes(mountPropagation)
    ? []
    : [notSupportedField(path, mountPropagation, MOUNT_PROPAGATIONS)];
  if (mountPropagation !== 'Bidirectional' || container.securityContext?.privileged) return errors;
  return [
    ...errors,
    forbiddenField(path, 'Bidirectional mount propagation is available only to privileged containers'),
  ];
}
