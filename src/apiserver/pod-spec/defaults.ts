/** What a pod's spec says when it says nothing, for pods and for the templates of workloads. */
import { listOf } from '#apiserver/lists.ts';
import { isDigestReference } from '#apiserver/pod-spec/image-tag.ts';
import { roundAmounts } from '#apiserver/pod-spec/resources.ts';
import type { Container, EphemeralContainer } from '#kube/kinds/core/container.ts';
import type { EnvVar } from '#kube/kinds/core/env.ts';
import type { PodSpec, PodTemplateSpec } from '#kube/kinds/core/pod-spec.ts';
import type { HTTPGetAction, Lifecycle, Probe } from '#kube/kinds/core/probe.ts';
import type { DownwardAPIVolumeFile, ProjectedVolumeSource } from '#kube/kinds/core/projection.ts';
import type { Volume } from '#kube/kinds/core/volume.ts';

/** rw-r--r-- */
const DEFAULT_FILE_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3_600;
const DEFAULT_GRACE_SECONDS = 30;
const MESSAGE_PATH = '/dev/termination-log';

export function setTemplateDefaults(template: PodTemplateSpec): void {
  setPodSpecDefaults(template.spec);
}

export function setPodSpecDefaults(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always';
  spec.terminationGracePeriodSeconds ??= DEFAULT_GRACE_SECONDS;
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ??= 'default-scheduler';
  // The old name shows what the new one says.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  const containers = [...(spec.initContainers ?? []), ...listOf(spec.containers), ...(spec.ephemeralContainers ?? [])];
  for (const container of containers) setContainerDefaults(container);
  for (const constraint of spec.topologySpreadConstraints ?? []) {
    constraint.nodeAffinityPolicy ??= 'Honor';
    constraint.nodeTaintsPolicy ??= 'Ignore';
  }
}

function setContainerDefaults(container: Container | EphemeralContainer): void {
  roundAmounts(container.resources);
  container.terminationMessagePath ??= MESSAGE_PATH;
  container.terminationMessagePolicy ??= 'File';
  container.imagePullPolicy ??= pullPolicyOf(container.image ?? '');
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP';
  }
  for (const variable of container.env ?? []) setEnvDefaults(variable);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) setProbeDefaults(probe);
  }
  if (container.lifecycle) setLifecycleDefaults(container.lifecycle);
}

/** What only pods get, not the templates that they are made from. */
export function setPodOnlyDefaults(spec: PodSpec): void {
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.initContainers ?? []), ...listOf(spec.containers)]) {
    const { limits, requests } = container.resources ?? {};
    // What is limited and not asked for is asked for up to the limit.
    if (limits) container.resources = { ...container.resources, requests: { ...limits, ...requests } };
    for (const port of container.ports ?? []) {
      if (spec.hostNetwork && port.containerPort) port.hostPort ??= port.containerPort;
    }
  }
}

/** A tag that can move is pulled each time: `latest`, or none at all. */
function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  if (isDigestReference(image)) return 'IfNotPresent';
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function setEnvDefaults({ valueFrom }: EnvVar): void {
  if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ??= 'v1';
  if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= '0';
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  if (probe.httpGet) setHttpGetDefaults(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= '';
}

function setLifecycleDefaults({ postStart, preStop }: Lifecycle): void {
  for (const handler of [postStart, preStop]) if (handler?.httpGet) setHttpGetDefaults(handler.httpGet);
}

function setHttpGetDefaults(action: HTTPGetAction): void {
  action.path ||= '/';
  action.scheme ||= 'HTTP';
}

function setVolumeDefaults(volume: Volume): void {
  const { name: _, ...sources } = volume;
  if (Object.keys(sources).length === 0) volume.emptyDir = {};
  if (volume.configMap) volume.configMap.defaultMode ??= DEFAULT_FILE_MODE;
  if (volume.secret) volume.secret.defaultMode ??= DEFAULT_FILE_MODE;
  if (volume.hostPath) volume.hostPath.type ??= '' as 'Directory';
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= DEFAULT_FILE_MODE;
    setFileDefaults(volume.downwardAPI.items);
  }
  if (volume.projected) setProjectedDefaults(volume.projected);
}

function setProjectedDefaults(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= DEFAULT_FILE_MODE;
  for (const { serviceAccountToken, downwardAPI } of projected.sources ?? []) {
    if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= DEFAULT_TOKEN_SECONDS;
    setFileDefaults(downwardAPI?.items);
  }
}

function setFileDefaults(files: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of files ?? []) {
    if (fieldRef) fieldRef.apiVersion ??= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor ??= '0';
  }
}
