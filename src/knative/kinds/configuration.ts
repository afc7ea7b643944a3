import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { object, string } from '#kube/schema.ts';
import {
  commonStatus,
  latestRevisionColumns,
  readyColumns,
  SERVING_CATEGORIES,
  supplied,
} from '#knative/kinds/fields.ts';
import { revisionTemplateSchema } from '#knative/kinds/revision-spec.ts';

export const Configuration = defineKind({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Configuration',
  plural: 'configurations',
  shortNames: ['config', 'cfg'],
  categories: SERVING_CATEGORIES,
  doc: 'The latest wish for a program; every change of it makes a Revision.',
  properties: {
    spec: supplied(object({ template: supplied(revisionTemplateSchema) })),
    status: object({
      ...commonStatus,
      latestCreatedRevisionName: string('The newest Revision.'),
      latestReadyRevisionName: string('The newest Revision that is or was ready.'),
    }),
  },
  columns: [...latestRevisionColumns, ...readyColumns],
  isCustom: true,
});
export type Configuration = ObjectOf<typeof Configuration>;
