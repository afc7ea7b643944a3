/**
 * What the definition of a kind has done to its objects by every write: checked by its schema and its rules, its
 * generation counted, its status kept apart where it has the subresource, the numbers that `scale` shows sane.
 */
import { isTrueOf } from '#kube/defined-kind.ts';
import { type FieldError, invalidField } from '#kube/field-error.ts';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import type { Kind, RulesOptions } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { failure, StatusError } from '#kube/status.ts';
import { contentChanged } from '#apiserver/generation.ts';
import type { Conversion } from '#apiserver/registry.ts';
import type { Strategy, WriteContext } from '#apiserver/strategy.ts';
import { statusOnly } from '#apiserver/subresources.ts';

type Told = Omit<RulesOptions, 'scale'>;

interface InstanceRules {
  readonly kind: Kind;
  readonly conversion: Conversion;
  /** The definition as it is at the time of a write. */
  readonly current: () => CustomResourceDefinition;
}

export function instanceStrategy({ kind, conversion, current }: InstanceRules): Strategy {
  const before = (old: KubeObject) => conversion.fromStored(old);
  const errors = (object: KubeObject, old: KubeObject | undefined, options: Told) => [
    ...kindErrors(kind, object),
    ...(kind.definition?.rules.validate(object, old, { scale: kind.scale, ...options }) ?? []),
  ];
  const warnings = (context: WriteContext): Told => ({ warn: (text) => context.warn(text) });
  return {
    checkCreate() {
      if (isTrueOf(current(), 'Terminating')) throw terminating(kind);
    },
    isNewGeneration: (object, old) => contentChanged(kind, object, before(old)),
    requiresVersionOnUpdate: true,
    validate: (object, context) => errors(object, undefined, warnings(context)),
    validateUpdate: (object, old, context) => errors(object, before(old), warnings(context)),
    subresources: {
      status: {
        ...statusOnly,
        validateUpdate: (object, old, context) => {
          return errors(object, before(old), { ...warnings(context), subresource: 'status' });
        },
      },
    },
  };
}

function kindErrors({ kind }: Kind, object: KubeObject): FieldError[] {
  return object.kind === kind ? [] : [invalidField('kind', object.kind, `must be ${kind}`)];
}

function terminating({ group, plural }: Kind): StatusError {
  const message = 'create not allowed while custom resource definition is terminating';
  return new StatusError(failure({ code: 405, reason: 'MethodNotAllowed', message, details: { group, kind: plural } }));
}
