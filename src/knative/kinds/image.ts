import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { list, object, required, string } from '#kube/schema.ts';
import { commonStatus, nameOf, supplied } from '#knative/kinds/fields.ts';

export const Image = defineKind({
  apiVersion: 'caching.internal.knative.dev/v1alpha1',
  kind: 'Image',
  plural: 'images',
  categories: ['knative-internal', 'caching'],
  doc: 'An image that is worth having near.',
  properties: {
    spec: supplied(
      object({
        image: required(string('The image.')),
        serviceAccountName: string('Whose credentials pull it.'),
        imagePullSecrets: list(object({ name: nameOf('Name of a Secret.') }, { atomic: true }), 'Credentials.'),
      }),
    ),
    status: object({ ...commonStatus }),
  },
  columns: [{ name: 'Image', type: 'string', jsonPath: '.spec.image' }],
  isCustom: true,
});
export type Image = ObjectOf<typeof Image>;
