import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { int64, object, required, string } from '#kube/schema.ts';
import { commonStatus, readyColumns, supplied } from '#knative/kinds/fields.ts';

export const Metric = defineKind({
  apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
  kind: 'Metric',
  plural: 'metrics',
  categories: ['knative-internal', 'autoscaling'],
  doc: 'What the autoscaler measures for one revision.',
  properties: {
    spec: supplied(
      object({
        stableWindow: required(int64('Length of the stable window, in nanoseconds.')),
        panicWindow: required(int64('Length of the panic window, in nanoseconds.')),
        scrapeTarget: required(string('The Service whose pods are asked; empty for none.')),
      }),
    ),
    status: object({ ...commonStatus }),
  },
  columns: readyColumns,
  isCustom: true,
});
export type Metric = ObjectOf<typeof Metric>;
