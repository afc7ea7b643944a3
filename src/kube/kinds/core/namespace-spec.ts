/** What a Namespace waits for and has. */
import { embedded, list, listMap, object, oneOf, required, string, time } from '#kube/schema.ts';

export const namespaceSpecSchema = object(
  {
    finalizers: list(string(), 'Names that must be removed first.'),
  },
  { name: 'io.k8s.api.core.v1.NamespaceSpec', doc: 'What the namespace waits for before it is gone.' },
);

const namespaceConditionSchema = object(
  {
    type: required(string('Aspect, such as NamespaceContentRemaining.')),
    status: required(string('True, False or Unknown.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.core.v1.NamespaceCondition', doc: "One aspect of the namespace's state." },
);

export const namespaceStatusSchema = object(
  {
    phase: oneOf(['Active', 'Terminating'], 'Active or Terminating.'),
    conditions: listMap(namespaceConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
  },
  { name: 'io.k8s.api.core.v1.NamespaceStatus', doc: 'What is known of the namespace.' },
);
