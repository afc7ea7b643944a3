import { type FieldError, index, invalidField } from '#kube/field-error.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { dnsLabelProblems } from '#kube/names.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { finalizerNameErrors } from '#apiserver/metadata.ts';
import { replaceMember } from '#apiserver/subresources.ts';
import { strategyOf } from '#apiserver/strategy.ts';

/** Every namespace carries its own name as a label, so that selectors can name it. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Removed through the `finalize` subresource, once the namespace is empty. */
const FINALIZER = 'kubernetes';

export const namespaceStrategy = strategyOf(Namespace, {
  nameProblems: dnsLabelProblems,
  setDefaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
  },
  prepareForCreate(namespace) {
    namespace.metadata.labels = { ...namespace.metadata.labels, [NAME_LABEL]: namespace.metadata.name ?? '' };
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { finalizers: [...new Set([...finalizers, FINALIZER])] };
    namespace.status = { phase: 'Active' };
  },
  validate: (namespace) => finalizersErrors(namespace),
  prepareForUpdate(namespace, old) {
    replaceMember(namespace, old, 'spec');
  },
  subresources: {
    status: {
      prepareForUpdate(namespace, old) {
        replaceMember(namespace, old, 'spec');
      },
      validateUpdate: (namespace) => phaseErrors(namespace),
    },
    finalize: {
      prepareForUpdate(namespace, old) {
        replaceMember(namespace, old, 'status');
      },
      validateUpdate: (namespace) => finalizersErrors(namespace),
    },
  },
  prepareForDeletion(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  isHeld: ({ spec }) => (spec?.finalizers ?? []).length > 0,
});

function finalizersErrors({ spec }: Namespace): FieldError[] {
  return (spec?.finalizers ?? []).flatMap((name, position) =>
    finalizerNameErrors(name, index('spec.finalizers', position)),
  );
}

function phaseErrors(namespace: Namespace): FieldError[] {
  const phase: string = namespace.status?.phase ?? '';
  const wanted = isBeingDeleted(namespace) ? 'Terminating' : 'Active';
  if (phase === wanted) return [];
  const state = wanted === 'Active' ? 'empty' : 'not empty';
  return [invalidField('status.Phase', phase, `may only be '${wanted}' if \`deletionTimestamp\` is ${state}`)];
}
