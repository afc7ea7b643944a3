import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { always, embedded, int32, object, required, string } from '#kube/schema.ts';

const scaleSpecSchema = object(
  { replicas: int32('How many pods are wanted.') },
  { name: 'io.k8s.api.autoscaling.v1.ScaleSpec', doc: 'What is wanted.' },
);

const scaleStatusSchema = object(
  {
    replicas: required(int32('How many pods there are.')),
    selector: string('Which pods they are, as a label selector in text form.'),
  },
  { name: 'io.k8s.api.autoscaling.v1.ScaleStatus', doc: 'What is there.' },
);

export const Scale = defineKind({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  plural: 'scales',
  doc: 'The scale of another object: how many pods it wants and has. It exists as a subresource only.',
  properties: {
    spec: always(scaleSpecSchema),
    status: embedded(scaleStatusSchema),
  },
  hasStatus: false,
});
export type Scale = ObjectOf<typeof Scale>;
