/** Objects that the autoscaler works on, for tests: what matters to a test is given by the test. */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import type { ScalingConfig } from '#autoscaler/settings.ts';
import { parseAutoscalerConfig } from '#knative/config/autoscaler.ts';
import type { ConfigData } from '#knative/config/read.ts';

export const NAMESPACE = 'default';
export const REVISION = 'a-00001';
export const REVISION_KEY = `${NAMESPACE}/${REVISION}`;

export function scalingConfig(data: ConfigData = {}): ScalingConfig {
  return { autoscaler: parseAutoscalerConfig(data), deployment: { progressDeadlineMs: 600_000 } };
}

export interface PodAutoscalerShape {
  readonly annotations?: Record<string, string>;
  readonly spec?: Partial<NonNullable<PodAutoscaler['spec']>>;
}

const REVISION_LABELS = {
  app: REVISION,
  'serving.knative.dev/configuration': 'a',
  'serving.knative.dev/configurationGeneration': '1',
  'serving.knative.dev/revision': REVISION,
  'serving.knative.dev/revisionUID': 'uid-revision',
  'serving.knative.dev/service': 'a',
};

export function podAutoscaler(shape: PodAutoscalerShape = {}): PodAutoscaler {
  const prefixed = Object.entries(shape.annotations ?? {}).map(([key, value]) => [
    key.includes('/') ? key : `autoscaling.knative.dev/${key}`,
    value,
  ]);
  const defaults = {
    'autoscaling.knative.dev/class': 'kpa.autoscaling.knative.dev',
    'autoscaling.knative.dev/metric': 'concurrency',
    'serving.knative.dev/creator': 'someone',
  };
  return {
    apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
    kind: 'PodAutoscaler',
    metadata: {
      name: REVISION,
      namespace: NAMESPACE,
      labels: { ...REVISION_LABELS },
      annotations: { ...defaults, ...Object.fromEntries(prefixed) },
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: `${REVISION}-deployment` },
      reachability: 'Reachable',
      protocolType: 'http1',
      ...shape.spec,
    },
  };
}

export function revisionDeployment(replicas: number): Deployment {
  const labels = { 'serving.knative.dev/revisionUID': 'uid-revision' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `${REVISION}-deployment`, namespace: NAMESPACE, labels: { ...REVISION_LABELS } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'user-container', image: 'dev.local/hello:1' }] },
      },
    },
  };
}

export function revisionPod(name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { ...REVISION_LABELS } },
    spec: { containers: [{ name: 'user-container', image: 'dev.local/hello:1' }] },
  };
}

/** The status of a pod that runs and is ready, or isn't yet. */
export function podStatus(isReady: boolean): NonNullable<Pod['status']> {
  const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
  return { phase: 'Running', conditions };
}
