import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { int32, list, object, string } from '#kube/schema.ts';
import { commonStatus, readyColumns, SERVING_CATEGORIES, supplied } from '#knative/kinds/fields.ts';
import { revisionSpecSchema } from '#knative/kinds/revision-spec.ts';

const containerStatus = object({
  name: string('Name of the container.'),
  imageDigest: string('Its image with the digest that the tag stood for.'),
});

export const Revision = defineKind({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Revision',
  plural: 'revisions',
  shortNames: ['rev'],
  categories: SERVING_CATEGORIES,
  doc: 'A snapshot of a program and its configuration; its spec never changes.',
  properties: {
    spec: supplied(revisionSpecSchema),
    status: object({
      ...commonStatus,
      logUrl: string('Where its logs are.'),
      containerStatuses: list(containerStatus, 'The images in use.'),
      initContainerStatuses: list(containerStatus, 'The images of the init containers.'),
      actualReplicas: int32('How many pods are ready.'),
      desiredReplicas: int32('How many the autoscaler wants.'),
    }),
  },
  columns: [
    {
      name: 'Config Name',
      type: 'string',
      jsonPath: String.raw`.metadata.labels['serving\.knative\.dev/configuration']`,
    },
    {
      name: 'Generation',
      type: 'string',
      jsonPath: String.raw`.metadata.labels['serving\.knative\.dev/configurationGeneration']`,
    },
    ...readyColumns,
    { name: 'Actual Replicas', type: 'integer', jsonPath: '.status.actualReplicas' },
    { name: 'Desired Replicas', type: 'integer', jsonPath: '.status.desiredReplicas' },
  ],
  isCustom: true,
});
export type Revision = ObjectOf<typeof Revision>;
