/** Short builders of core objects for tests; every field that a test cares about is given by the test. */
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { ObjectMeta } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';

export interface PodShape {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly node?: string;
  readonly phase?: string;
  /** When it became ready, ms since the epoch; absent: not ready. */
  readonly readySince?: number;
  readonly createdAt?: number;
  readonly restarts?: number;
  readonly isEnding?: boolean;
  readonly ip?: string;
  readonly requests?: Record<string, string>;
  readonly ports?: { name?: string; containerPort: number }[];
}

export function pod(shape: PodShape): Pod {
  const { name, namespace = 'a', labels, annotations, node, phase = 'Running', ip, ports, requests } = shape;
  const metadata: ObjectMeta = { name, namespace, uid: `uid-${name}`, labels, annotations };
  metadata.creationTimestamp = formatTime(shape.createdAt ?? 0);
  if (shape.isEnding) metadata.deletionTimestamp = formatTime(0);
  const ready = shape.readySince !== undefined;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      nodeName: node,
      containers: [{ name: 'app', image: 'dev.local/app:1', ports, resources: requests ? { requests } : {} }],
    },
    status: {
      phase,
      podIP: ip,
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(shape.readySince ?? 0) },
      ],
      containerStatuses: [
        { name: 'app', image: '', imageID: '', ready, restartCount: shape.restarts ?? 0, state: {}, lastState: {} },
      ],
    },
  } as Pod;
}

export function replicaSet(
  name: string,
  size: number,
  shape: { available?: number; createdAt?: number; generation?: number; annotations?: Record<string, string> } = {},
): ReplicaSet {
  const available = shape.available ?? size;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: 'a',
      uid: `uid-${name}`,
      creationTimestamp: formatTime(shape.createdAt ?? 0),
      generation: shape.generation ?? 1,
      annotations: shape.annotations,
    },
    spec: {
      replicas: size,
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: { containers: [] } },
    },
    status: { replicas: size, readyReplicas: available, availableReplicas: available },
  };
}

export function deployment(
  replicas: number,
  spec: Partial<Deployment['spec']> = {},
  status: Deployment['status'] = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'a', uid: 'uid-d', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } } },
      ...spec,
    },
    status,
  } as Deployment;
}

export function service(name: string, spec: Partial<Service['spec']>): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'a', uid: `uid-${name}` },
    spec: { ...spec },
    status: {},
  };
}
