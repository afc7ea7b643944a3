/**
 * Whether a pod's spec can be accepted, with Kubernetes' field errors in Kubernetes' order. Used for pods and for the
 * templates of workloads.
 *
 * Left to whoever places and runs the pod: affinity terms in detail, devices, Windows, AppArmor and sysctls.
 */
import { child, type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import type { PodDNSConfig, PodSpec, PodTemplateSpec } from '#kube/kinds/core/pod-spec.ts';
import { dnsSubdomainProblems, qualifiedNameProblems, rangeProblems } from '#kube/names.ts';
import { labelErrors } from '#kube/selectors.ts';
import { listOf } from '#apiserver/lists.ts';
import { annotationErrors } from '#apiserver/metadata.ts';
import { addressErrors, dnsLabelErrors, MAX_INT32, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { containersErrors, initContainersErrors, supportedErrors } from '#apiserver/pod-spec/containers.ts';
import { spreadErrors, tolerationErrors } from '#apiserver/pod-spec/placement.ts';
import { hostUsersErrors, podSecurityErrors } from '#apiserver/pod-spec/security.ts';
import { checkVolumes } from '#apiserver/pod-spec/volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_LETTERS = 2_048;

export type SpecOwner = 'pod' | 'template';

export function podSpecErrors(spec: PodSpec, path: string, owner: SpecOwner): FieldError[] {
  const volumes = checkVolumes(spec.volumes ?? [], child(path, 'volumes'));
  const context = { spec, volumes: volumes.names };
  const at = (name: string) => child(path, name);
  return [
    ...volumes.errors,
    ...containersErrors(context, at('containers')),
    ...initContainersErrors(context, at('initContainers')),
    ...hostNetworkErrors(spec, at('containers'), owner),
    ...supportedErrors(at('restartPolicy'), spec.restartPolicy ?? '', RESTART_POLICIES),
    ...supportedErrors(at('dnsPolicy'), spec.dnsPolicy ?? '', DNS_POLICIES),
    ...labelErrors(spec.nodeSelector ?? {}, at('nodeSelector')),
    ...podSecurityErrors(spec, path),
    ...dnsConfigErrors(spec.dnsConfig, spec.dnsPolicy, at('dnsConfig')),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, position) =>
      problemsAt(
        child(index(at('readinessGates'), position), 'conditionType'),
        conditionType,
        qualifiedNameProblems(conditionType),
      ),
    ),
    ...spreadErrors(spec.topologySpreadConstraints ?? [], at('topologySpreadConstraints')),
    ...hostUsersErrors(spec, path),
    ...nameErrors(spec, path),
    ...tolerationErrors(spec.tolerations ?? [], at('tolerations')),
    ...hostAliasErrors(spec, at('hostAliases')),
    ...classErrors(spec, path),
  ];
}

/** On the host's network a container has no port of its own that could differ. */
function hostNetworkErrors(spec: PodSpec, path: string, owner: SpecOwner): FieldError[] {
  if (!spec.hostNetwork) return [];
  return listOf(spec.containers).flatMap(({ ports = [] }, position) =>
    ports.flatMap(({ hostPort = 0, containerPort }, portPosition) => {
      const isMatched = hostPort === containerPort || (owner === 'template' && hostPort === 0);
      if (isMatched) return [];
      const where = child(index(child(index(path, position), 'ports'), portPosition), 'hostPort');
      return [invalidField(where, hostPort, 'must match `containerPort` when `hostNetwork` is true')];
    }),
  );
}

function nameErrors(spec: PodSpec, path: string): FieldError[] {
  const { serviceAccountName, nodeName, activeDeadlineSeconds: deadline, hostname, subdomain } = spec;
  const subdomainAt = (name: string, value: string | undefined) =>
    value ? problemsAt(child(path, name), value, dnsSubdomainProblems(value)) : [];
  return [
    ...subdomainAt('serviceAccountName', serviceAccountName),
    ...subdomainAt('nodeName', nodeName),
    ...(deadline === undefined
      ? []
      : problemsAt(child(path, 'activeDeadlineSeconds'), deadline, rangeProblems(deadline, 1, MAX_INT32))),
    ...(hostname ? dnsLabelErrors(child(path, 'hostname'), hostname) : []),
    ...(subdomain ? dnsLabelErrors(child(path, 'subdomain'), subdomain) : []),
  ];
}

function classErrors({ priorityClassName, runtimeClassName, preemptionPolicy }: PodSpec, path: string): FieldError[] {
  const subdomainAt = (name: string, value: string | undefined) =>
    value ? problemsAt(child(path, name), value, dnsSubdomainProblems(value)) : [];
  const policies = ['PreemptLowerPriority', 'Never'];
  return [
    ...subdomainAt('priorityClassName', priorityClassName),
    ...subdomainAt('runtimeClassName', runtimeClassName),
    ...(preemptionPolicy === undefined || policies.includes(preemptionPolicy)
      ? []
      : [notSupportedField(child(path, 'preemptionPolicy'), preemptionPolicy, policies)]),
  ];
}

function hostAliasErrors({ hostAliases = [] }: PodSpec, path: string): FieldError[] {
  return hostAliases.flatMap(({ ip, hostnames = [] }, position) => [
    ...addressErrors(child(index(path, position), 'ip'), ip),
    ...hostnames.flatMap((name, namePosition) =>
      problemsAt(index(child(index(path, position), 'hostnames'), namePosition), name, dnsSubdomainProblems(name)),
    ),
  ]);
}

function dnsConfigErrors(config: PodDNSConfig | undefined, policy: string | undefined, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (policy === 'None') {
    if (!config) return [requiredField(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    if (nameservers.length === 0) return [requiredField(child(path, 'nameservers'), detail)];
  }
  const tooMany = (name: string, value: unknown, detail: string) => [invalidField(child(path, name), value, detail)];
  return [
    ...(nameservers.length > MAX_NAMESERVERS
      ? tooMany('nameservers', nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`)
      : []),
    ...nameservers.flatMap((server, position) => addressErrors(index(child(path, 'nameservers'), position), server)),
    ...(searches.length > MAX_SEARCHES
      ? tooMany('searches', searches, `must not have more than ${MAX_SEARCHES} search paths`)
      : []),
    ...(searches.join(' ').length > MAX_SEARCH_LETTERS
      ? tooMany(
          'searches',
          searches,
          `must not have more than ${MAX_SEARCH_LETTERS} characters (including spaces) in the search list`,
        )
      : []),
    ...searches.flatMap((search, position) => {
      const name = search.replace(/\.$/, '');
      return problemsAt(index(child(path, 'searches'), position), name, dnsSubdomainProblems(name));
    }),
    ...options.flatMap(({ name }, position) =>
      name ? [] : [requiredField(index(child(path, 'options'), position), 'must not be empty')],
    ),
  ];
}

/** A template as workloads carry it: its labels and annotations, then the spec. */
export function templateErrors({ metadata, spec }: PodTemplateSpec, path: string): FieldError[] {
  return [
    ...labelErrors(metadata?.labels ?? {}, child(path, 'labels')),
    ...annotationErrors(metadata?.annotations ?? {}, child(path, 'annotations')),
    ...podSpecErrors(spec, child(path, 'spec'), 'template'),
  ];
}
