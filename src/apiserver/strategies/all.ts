/** Which strategy each kind follows. */
import { type Kind, resourceOf } from '#kube/kind.ts';
import { specChanged } from '#apiserver/generation.ts';
import { customStrategy } from '#apiserver/strategies/custom.ts';
import { namespaceStrategy } from '#apiserver/strategies/namespace.ts';
import { podStrategy } from '#apiserver/strategies/pod.ts';
import type { Strategy } from '#apiserver/strategy.ts';

export function strategies(): (kind: Kind) => Strategy {
  const builtin = new Map<string, Strategy>([
    ['namespaces', namespaceStrategy],
    ['pods', podStrategy],
    ['deployments.apps', { isNewGeneration: specChanged }],
    ['replicasets.apps', { isNewGeneration: specChanged }],
    ['jobs.batch', { isNewGeneration: specChanged, defaultPropagation: 'Orphan' }],
  ]);
  return (kind) => (kind.isCustom ? customStrategy() : (builtin.get(resourceOf(kind)) ?? {}));
}
