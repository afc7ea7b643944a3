/** The condition that newer kinds share. */
import { int64, object, required, string, time } from '#kube/schema.ts';

export const conditionSchema = object(
  {
    type: required(string('Aspect, in CamelCase.')),
    status: required(string('True, False or Unknown.')),
    observedGeneration: int64('Generation of the spec that this condition was computed from.'),
    lastTransitionTime: required(time('When the status last changed.')),
    reason: required(string('Cause of the last change, one CamelCase word.')),
    message: required(string('Cause of the last change, in a sentence.')),
  },
  { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Condition', doc: "One aspect of an object's present state." },
);
