import { defineKind, type ObjectOf } from '#kube/kind.ts';
import {
  customResourceDefinitionSpecSchema,
  customResourceDefinitionStatusSchema,
} from '#kube/kinds/apiextensions/crd-spec.ts';
import { embedded, required } from '#kube/schema.ts';

export const CustomResourceDefinition = defineKind({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  doc: 'Defines a kind that the API server then serves.',
  properties: {
    spec: required(customResourceDefinitionSpecSchema),
    status: embedded(customResourceDefinitionStatusSchema),
  },
});
export type CustomResourceDefinition = ObjectOf<typeof CustomResourceDefinition>;
