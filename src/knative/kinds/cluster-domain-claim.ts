import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { object, required, string } from '#kube/schema.ts';
import { supplied } from '#knative/kinds/fields.ts';

export const ClusterDomainClaim = defineKind({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'ClusterDomainClaim',
  plural: 'clusterdomainclaims',
  shortNames: ['cdc'],
  categories: ['knative-internal', 'networking'],
  namespaced: false,
  doc: 'Says which namespace may use a domain; its name is the domain.',
  properties: {
    spec: supplied(object({ namespace: required(string('The namespace that may use the domain.')) })),
  },
  hasStatus: true,
  isCustom: true,
});
export type ClusterDomainClaim = ObjectOf<typeof ClusterDomainClaim>;
