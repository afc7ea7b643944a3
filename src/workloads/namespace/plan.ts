/** What a namespace must hold, and what its status says while it empties. Pure. */
import type { Namespace } from '#kube/kinds/core/namespace.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';

export interface Remaining {
  readonly kind: Kind;
  readonly objects: readonly KubeObject[];
}

type NamespaceCondition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

interface Wanted {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** The five conditions that Kubernetes keeps on a namespace that is going away. */
export function deletionConditions(
  namespace: Namespace,
  remaining: readonly Remaining[],
  nowMs: number,
): NamespaceCondition[] {
  const known = namespace.status?.conditions ?? [];
  return Object.entries(wantedConditions(remaining)).map(([type, wanted]) => {
    const before = known.find((condition) => condition.type === type);
    const isSame =
      before?.status === wanted.status && before.reason === wanted.reason && before.message === wanted.message;
    if (before && isSame) return before;
    const lastTransitionTime = before?.status === wanted.status ? before.lastTransitionTime : formatTime(nowMs);
    return { type, status: wanted.status, lastTransitionTime, reason: wanted.reason, message: wanted.message };
  });
}

function wantedConditions(remaining: readonly Remaining[]): Record<string, Wanted> {
  return {
    NamespaceDeletionDiscoveryFailure: no('ResourcesDiscovered', 'All resources successfully discovered'),
    NamespaceDeletionGroupVersionParsingFailure: no('ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    NamespaceDeletionContentFailure: no(
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ),
    NamespaceContentRemaining: contentRemaining(remaining),
    NamespaceFinalizersRemaining: finalizersRemaining(remaining),
  };
}

const no = (reason: string, message: string): Wanted => ({ status: 'False', reason, message });
const yes = (reason: string, message: string): Wanted => ({ status: 'True', reason, message });

function contentRemaining(remaining: readonly Remaining[]): Wanted {
  const counts = remaining.map(({ kind, objects }) => `${resourceName(kind)} has ${objects.length} resource instances`);
  if (counts.length === 0) return no('ContentRemoved', 'All content successfully removed');
  return yes('SomeResourcesRemain', `Some resources are remaining: ${counts.sort().join(', ')}`);
}

/** `configmaps.` and `services.serving.knative.dev`: the group follows a dot even when it is empty. */
function resourceName(kind: Kind): string {
  return kind.group === '' ? `${kind.plural}.` : resourceOf(kind);
}

function finalizersRemaining(remaining: readonly Remaining[]): Wanted {
  const counts = new Map<string, number>();
  for (const { objects } of remaining) {
    for (const finalizer of objects.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
      counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
    }
  }
  if (counts.size === 0) return no('ContentHasNoFinalizers', 'All content-preserving finalizers finished');
  const list = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort();
  return yes('SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${list.join(', ')}`);
}
