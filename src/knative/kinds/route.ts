import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { object, string } from '#kube/schema.ts';
import {
  addressSchema,
  commonStatus,
  readyColumns,
  SERVING_CATEGORIES,
  supplied,
  urlColumn,
} from '#knative/kinds/fields.ts';
import { trafficSchema } from '#knative/kinds/traffic-target.ts';

export const Route = defineKind({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Route',
  plural: 'routes',
  shortNames: ['rt'],
  categories: SERVING_CATEGORIES,
  doc: 'A host whose requests are shared among Revisions.',
  properties: {
    spec: supplied(object({ traffic: trafficSchema })),
    status: object({
      ...commonStatus,
      url: string('Where the Route is reachable.'),
      address: addressSchema,
      traffic: trafficSchema,
    }),
  },
  columns: [urlColumn, ...readyColumns],
  isCustom: true,
});
export type Route = ObjectOf<typeof Route>;
