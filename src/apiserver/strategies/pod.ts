import { type FieldError, forbiddenField } from '#kube/field-error.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { listOf } from '#apiserver/lists.ts';
import { specChanged } from '#apiserver/generation.ts';
import { setPodOnlyDefaults, setPodSpecDefaults } from '#apiserver/pod-spec/defaults.ts';
import { fractionWarnings, qosClassOf } from '#apiserver/pod-spec/resources.ts';
import { podStatusErrors, podUpdateErrors } from '#apiserver/pod-spec/update.ts';
import { podSpecErrors } from '#apiserver/pod-spec/validate.ts';
import { replaceMember } from '#apiserver/subresources.ts';
import { strategyOf } from '#apiserver/strategy.ts';

export const podStrategy = strategyOf(Pod, {
  isNewGeneration: specChanged,
  setDefaults({ spec, status }) {
    setPodSpecDefaults(spec);
    setPodOnlyDefaults(spec);
    // The old member and the list that took its place say the same.
    if (status?.podIP && !status.podIPs) status.podIPs = [{ ip: status.podIP }];
  },
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod.spec) };
    // Less than nothing has always meant as little as there is.
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
  },
  validate: (pod) => [...podSpecErrors(pod.spec, 'spec', 'pod'), ...createErrors(pod)],
  validateUpdate: (pod, old) => [...podSpecErrors(pod.spec, 'spec', 'pod'), ...podUpdateErrors(pod, old)],
  warnings: ({ spec }, old) => (old ? [] : fractionWarnings(listOf(spec.containers), 'spec.containers')),
  subresources: {
    status: {
      prepareForUpdate(pod, old) {
        replaceMember(pod, old, 'spec');
        if (old.metadata.ownerReferences) pod.metadata.ownerReferences = old.metadata.ownerReferences;
        else delete pod.metadata.ownerReferences;
        const qosClass = old.status?.qosClass;
        if (qosClass !== undefined) pod.status = { ...pod.status, qosClass };
      },
      validateUpdate: (pod, old) => podStatusErrors(pod, old),
    },
    // Being placed on a node is no change of what is wanted.
    binding: { prepareForUpdate() {} },
  },
  gracePeriodSeconds({ spec, status }, asked) {
    if (!spec.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
    const period = asked ?? spec.terminationGracePeriodSeconds ?? 0;
    return period < 0 ? 1 : period;
  },
  answersDeletedObject: true,
});

function createErrors({ spec }: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    const detail = 'cannot be set until all schedulingGates have been cleared';
    errors.push(forbiddenField('spec.nodeName', detail));
  }
  return errors;
}
