/** Kinds that Kubernetes itself would serve from a CustomResourceDefinition: their schema is all there is. */
import { schemaErrors } from '#kube/schema-errors.ts';
import { type FieldError, invalidField } from '#kube/field-error.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { contentChanged } from '#apiserver/generation.ts';
import type { Strategy } from '#apiserver/strategy.ts';
import { statusOnly } from '#apiserver/subresources.ts';

function kindErrors({ kind }: Kind, object: KubeObject): FieldError[] {
  return object.kind === kind ? [] : [invalidField('kind', object.kind, `must be ${kind}`)];
}

export function customStrategy(kind: Kind): Strategy {
  const validate = (object: KubeObject) => [...kindErrors(kind, object), ...schemaErrors(kind.schema, object)];
  return {
    isNewGeneration: (object, old) => contentChanged(kind, object, old),
    requiresVersionOnUpdate: true,
    validate,
    validateUpdate: validate,
    subresources: { status: { ...statusOnly, validateUpdate: (object) => schemaErrors(kind.schema, object) } },
  };
}
