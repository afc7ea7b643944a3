import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { object, string } from '#kube/schema.ts';
import {
  addressSchema,
  commonStatus,
  latestRevisionColumns,
  readyColumns,
  SERVING_CATEGORIES,
  supplied,
  urlColumn,
} from '#knative/kinds/fields.ts';
import { revisionTemplateSchema } from '#knative/kinds/revision-spec.ts';
import { trafficSchema } from '#knative/kinds/traffic-target.ts';

export const Service = defineKind({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['kservice', 'ksvc'],
  categories: SERVING_CATEGORIES,
  doc: 'A program that answers requests: its container and how its traffic is shared among its revisions.',
  properties: {
    spec: supplied(object({ template: supplied(revisionTemplateSchema), traffic: trafficSchema })),
    status: object({
      ...commonStatus,
      url: string('Where the Service is reachable.'),
      address: addressSchema,
      traffic: trafficSchema,
      latestCreatedRevisionName: string('The newest Revision.'),
      latestReadyRevisionName: string('The newest Revision that is or was ready.'),
    }),
  },
  columns: [urlColumn, ...latestRevisionColumns, ...readyColumns],
  isCustom: true,
});
export type Service = ObjectOf<typeof Service>;
