/** Kinds that Kubernetes itself would serve from a CustomResourceDefinition: their schema is all there is. */
import { schemaErrors } from '#kube/schema-errors.ts';
import type { Kind } from '#kube/kind.ts';
import { contentChanged } from '#apiserver/generation.ts';
import type { Strategy } from '#apiserver/strategy.ts';
import { statusOnly } from '#apiserver/subresources.ts';

export function customStrategy(kind: Kind): Strategy {
  return {
    isNewGeneration: contentChanged,
    requiresVersionOnUpdate: true,
    validate: (object) => schemaErrors(kind.schema, object),
    validateUpdate: (object) => schemaErrors(kind.schema, object),
    subresources: { status: { ...statusOnly, validateUpdate: (object) => schemaErrors(kind.schema, object) } },
  };
}
