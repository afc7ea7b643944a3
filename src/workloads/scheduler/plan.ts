/**
 * Whether a pod fits on a node: node selector, taints, and requests against what is allocatable. Pure.
 * Messages are the scheduler's own: `0/1 nodes are available: 1 Insufficient cpu. …`.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Node } from '#kube/kinds/core/node.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { labelsOf, nameOf } from '#kube/object.ts';
import { quantityToNumber } from '#kube/quantity.ts';

export type Assignment = { readonly nodeName: string } | { readonly nodeName: undefined; readonly message: string };

/** Resources that are counted, beside the number of pods. */
const COUNTED = ['cpu', 'memory', 'ephemeral-storage'] as const;

export function planAssignment(pod: Pod, nodes: readonly Node[], others: readonly Pod[]): Assignment {
  const reasons = new Map<string, number>();
  for (const node of nodes) {
    const obstacles = obstaclesOn(
      node,
      pod,
      others.filter((other) => other.spec.nodeName === nameOf(node)),
    );
    if (obstacles.length === 0) return { nodeName: nameOf(node) };
    for (const obstacle of obstacles) reasons.set(obstacle, (reasons.get(obstacle) ?? 0) + 1);
  }
  return { nodeName: undefined, message: refusal(nodes.length, reasons) };
}

function refusal(count: number, reasons: ReadonlyMap<string, number>): string {
  if (count === 0) return 'no nodes available to schedule pods';
  const list = [...reasons].map(([reason, times]) => `${times} ${reason}`).sort();
  return `0/${count} nodes are available: ${list.join(', ')}.`;
}

function obstaclesOn(node: Node, pod: Pod, others: readonly Pod[]): string[] {
  const labels = labelsOf(node);
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  if (selector.some(([key, value]) => labels[key] !== value))
    return ["node(s) didn't match Pod's node affinity/selector"];
  if (node.spec?.unschedulable) return ['node(s) were unschedulable'];
  const allocatable = node.status?.allocatable ?? {};
  const obstacles: string[] = [];
  if (others.length >= Number(allocatable['pods'] ?? Number.POSITIVE_INFINITY)) obstacles.push('Too many pods');
  for (const resource of COUNTED) {
    const wanted = podRequest(pod, resource);
    const limit = allocatable[resource];
    if (wanted === 0 || limit === undefined) continue;
    const used = others.reduce((sum, other) => sum + podRequest(other, resource), 0);
    if (used + wanted > quantityToNumber(limit)) obstacles.push(`Insufficient ${resource}`);
  }
  return obstacles;
}

/** What a pod asks for: its containers together, or its largest init container if that is more. */
export function podRequest(pod: Pod, resource: string): number {
  const requestOf = (container: Container) => quantityToNumber(container.resources?.requests?.[resource]);
  const together = pod.spec.containers.reduce((sum, container) => sum + requestOf(container), 0);
  return Math.max(together, ...(pod.spec.initContainers ?? []).map(requestOf));
}
