import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { deploymentSpecSchema, deploymentStatusSchema } from '#kube/kinds/apps/deployment-spec.ts';
import { always, embedded } from '#kube/schema.ts';

export const Deployment = defineKind({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  doc: 'Keeps a number of pods of the newest template running, and replaces older ones step by step.',
  properties: {
    spec: always(deploymentSpecSchema),
    status: embedded(deploymentStatusSchema),
  },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.spec.selector',
  },
});
export type Deployment = ObjectOf<typeof Deployment>;
