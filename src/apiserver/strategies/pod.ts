import { Pod } from '#kube/kinds/core/pod.ts';
import { specChanged } from '#apiserver/generation.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const DEFAULT_GRACE_SECONDS = 30;

export const podStrategy = strategyOf(Pod, {
  isNewGeneration: specChanged,
  setDefaults({ spec }) {
    spec.terminationGracePeriodSeconds ??= DEFAULT_GRACE_SECONDS;
    spec.restartPolicy ??= 'Always';
  },
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending' };
  },
  gracePeriodSeconds({ spec, status }, asked) {
    if (!spec.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
    const period = asked ?? spec.terminationGracePeriodSeconds ?? 0;
    return period < 0 ? 1 : period;
  },
  answersDeletedObject: true,
});
