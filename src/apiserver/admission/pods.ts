/**
 * What a new pod gets from its surroundings: a service account with its pull secrets and, if wanted, its token, a
 * priority, and patience with a node that is away.
 */
import { randomSuffix } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import type { Toleration } from '#kube/kinds/core/scheduling.ts';
import { forbidden } from '#kube/status.ts';
import type { Store } from '#store/store.ts';
import { listOf } from '#apiserver/lists.ts';
import type { AdmissionHook, AdmissionRequest } from '#apiserver/admission/chain.ts';

export interface PodAdmissionOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** `projected` mounts the token of the service account, for programs that speak to the API from inside. */
  readonly tokens: 'projected' | 'none';
}

const DEFAULT_ACCOUNT = 'default';
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

export function podAdmission(options: PodAdmissionOptions): AdmissionHook {
  return {
    resource: 'pods',
    mutate(request) {
      if (request.operation !== 'CREATE' || request.subresource !== undefined) return;
      const pod = request.object as Pod;
      if (pod.metadata.annotations?.[MIRROR_ANNOTATION] === undefined) setAccount(options, request, pod);
      setPriority(request, pod);
      setTolerations(pod.spec);
    },
  };
}

function setAccount({ store, clock, tokens }: PodAdmissionOptions, request: AdmissionRequest, pod: Pod): void {
  const { spec } = pod;
  const name = spec.serviceAccountName || DEFAULT_ACCOUNT;
  const { namespace = '' } = request;
  const entry = store.get('serviceaccounts', { namespace, name });
  if (!entry) {
    const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
    throw forbidden(Pod, podName(pod), why);
  }
  const account = entry.object as ServiceAccount;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets) {
    spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
  }
  const wantsToken = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  if (tokens === 'projected' && wantsToken) mountToken(spec, clock);
}

function podName({ metadata }: Pod): string {
  return metadata.name || metadata.generateName || '';
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour, and what it may take to notice that it is over. */
const TOKEN_SECONDS = 3_607;
const FILE_MODE = 0o644;
const ROOT_CA = 'kube-root-ca.crt';

function mountToken(spec: PodSpec, clock: Clock): void {
  const containers: Container[] = [...(spec.initContainers ?? []), ...listOf(spec.containers)];
  const without = containers.filter(
    ({ volumeMounts = [] }) => !volumeMounts.some(({ mountPath }) => mountPath === TOKEN_PATH),
  );
  if (without.length === 0) return;
  const name = `kube-api-access-${randomSuffix(clock, 5)}`;
  for (const container of without) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: TOKEN_PATH }];
  }
  const namespaceFile = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } };
  const projected = {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: ROOT_CA, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [namespaceFile] } },
    ],
    defaultMode: FILE_MODE,
  };
  spec.volumes = [...(spec.volumes ?? []), { name, projected }];
}

/** The two classes that every cluster has. */
const PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

function setPriority(_request: AdmissionRequest, pod: Pod): void {
  const { spec } = pod;
  const { priorityClassName = '' } = spec;
  const priority = priorityClassName === '' ? 0 : PRIORITIES[priorityClassName];
  if (priority === undefined) {
    throw forbidden(Pod, podName(pod), `no PriorityClass with name ${priorityClassName} was found`);
  }
  spec.priority ??= priority;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
}

const AWAY_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const AWAY_SECONDS = 300;

/** A node may be away for a while before its pods are given up. */
function setTolerations(spec: PodSpec): void {
  const present = spec.tolerations ?? [];
  const added = AWAY_TAINTS.filter((key) => !present.some((one) => tolerates(one, key))).map((key): Toleration => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: AWAY_SECONDS,
  }));
  if (added.length > 0) spec.tolerations = [...present, ...added];
}

function tolerates(
  { key = '', effect = '' }: { key?: string | undefined; effect?: string | undefined },
  taint: string,
): boolean {
  return (key === taint || key === '') && (effect === 'NoExecute' || effect === '');
}
