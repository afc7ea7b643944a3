import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { int32, int64, object, oneOf, required, string } from '#kube/schema.ts';
import { commonStatus, readyColumns, supplied } from '#knative/kinds/fields.ts';

export const PodAutoscaler = defineKind({
  apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
  kind: 'PodAutoscaler',
  plural: 'podautoscalers',
  shortNames: ['kpa', 'pa'],
  categories: ['knative-internal', 'autoscaling'],
  doc: 'Asks for a Deployment to be scaled by its traffic.',
  properties: {
    spec: supplied(
      object({
        containerConcurrency: int64('How many requests a pod gets at once at most; 0 means any number.'),
        scaleTargetRef: required(
          object(
            {
              apiVersion: string('API version of the target.'),
              kind: string('Kind of the target.'),
              name: string('Name of the target.'),
            },
            { doc: 'What is scaled.', atomic: true },
          ),
        ),
        reachability: oneOf(['', 'Reachable', 'Unreachable'], 'Whether any Route leads to it.'),
        protocolType: required(string('http1 or h2c.')),
      }),
    ),
    status: object({
      ...commonStatus,
      serviceName: required(string('The Service that requests are sent to.')),
      metricsServiceName: required(string('The Service that metrics are taken from.')),
      desiredScale: int32('How many pods are wanted.'),
      actualScale: int32('How many pods are ready.'),
    }),
  },
  columns: [
    { name: 'DesiredScale', type: 'integer', jsonPath: '.status.desiredScale' },
    { name: 'ActualScale', type: 'integer', jsonPath: '.status.actualScale' },
    ...readyColumns,
  ],
  isCustom: true,
});
export type PodAutoscaler = ObjectOf<typeof PodAutoscaler>;
