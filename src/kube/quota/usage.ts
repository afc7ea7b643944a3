/**
 * What one object uses of the resources that a ResourceQuota may limit. Pure; the API server refuses by it, and the
 * controller counts by it.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { KubeObject } from '#kube/object.ts';
import { type Quantity, quantityOf } from '#kube/quantity.ts';
import { add, type Amounts, largest, readAmounts } from '#kube/quota/amounts.ts';
import { parseTime } from '#kube/time.ts';

const ONE = quantityOf(1);
const COUNT = 'count/';

/** Kinds that have a name of their own beside `count/…`. */
const COUNTED = ['configmaps', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'];
const SERVICE_NAMES = ['services.loadbalancers', 'services.nodeports'];
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];

/** What a quota on it asks every container of a pod to say. */
const MUST_BE_SAID = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/** Which kind a resource counts, as `resourceOf` names it; undefined for what nothing that is served uses. */
export function kindCountedBy(name: string): string | undefined {
  if (name.startsWith(COUNT)) return name.slice(COUNT.length);
  if (COUNTED.includes(name)) return name;
  if (SERVICE_NAMES.includes(name)) return 'services';
  return isOfPods(name) ? 'pods' : undefined;
}

function isOfPods(name: string): boolean {
  if (name === 'requests.storage') return false;
  const plain = name.replace(/^(requests|limits)\./, '');
  return COMPUTE.includes(plain) || plain.startsWith('hugepages-') || name.startsWith('requests.');
}

/** @param resource the object's kind, as `resourceOf` names it. */
export function usageOf(resource: string, object: KubeObject, nowMs: number): Amounts {
  const count: [string, Quantity] = [`${COUNT}${resource}`, ONE];
  if (resource === 'pods') return podUsage(object as Pod, count, nowMs);
  if (resource === 'services') return serviceUsage(object as Service, count);
  return new Map(COUNTED.includes(resource) ? [count, [resource, ONE]] : [count]);
}

function serviceUsage({ spec }: Service, count: [string, Quantity]): Amounts {
  const { type, ports = [], allocateLoadBalancerNodePorts } = spec;
  const isBalanced = type === 'LoadBalancer';
  const hasAll = type === 'NodePort' || (isBalanced && allocateLoadBalancerNodePorts !== false);
  const given = isBalanced ? ports.filter(({ nodePort = 0 }) => nodePort !== 0).length : 0;
  return new Map([
    count,
    ['services', ONE],
    ['services.loadbalancers', quantityOf(isBalanced ? 1 : 0)],
    ['services.nodeports', quantityOf(hasAll ? ports.length : given)],
  ]);
}

/** A pod that has ended, or should have by now, uses nothing but its place among the objects. */
function podUsage(pod: Pod, count: [string, Quantity], nowMs: number): Amounts {
  const { metadata, status } = pod;
  const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const isOverdue = (parseTime(metadata.deletionTimestamp) ?? Infinity) < nowMs;
  if (hasEnded || isOverdue) return new Map([count]);
  const requests = totalOf(pod.spec, 'requests');
  const limits = totalOf(pod.spec, 'limits');
  return new Map([count, ['pods', ONE], ...computeUsage(requests, limits)]);
}

function computeUsage(requests: Amounts, limits: Amounts): Map<string, Quantity> {
  const usage = new Map<string, Quantity>();
  for (const [name, amount] of requests) {
    usage.set(`requests.${name}`, amount);
    if (COMPUTE.includes(name) || name.startsWith('hugepages-')) usage.set(name, amount);
  }
  for (const name of COMPUTE) {
    const limit = limits.get(name);
    if (limit) usage.set(`limits.${name}`, limit);
  }
  return usage;
}

/** Containers run side by side, init containers one after the other, beside those of them that stay. */
function totalOf({ containers, initContainers = [], overhead }: PodSpec, which: 'requests' | 'limits'): Amounts {
  const amountsOf = ({ resources }: Container) => readAmounts(resources?.[which]);
  let staying: Amounts = new Map();
  let starting: Amounts = new Map();
  for (const container of initContainers) {
    const own = amountsOf(container);
    if (container.restartPolicy === 'Always') staying = add(staying, own);
    const now = container.restartPolicy === 'Always' ? staying : add(staying, own);
    starting = largest(starting, now);
  }
  const total = largest(containers.map(amountsOf).reduce(add, new Map(staying)), starting);
  const extra = [...readAmounts(overhead)].filter(([name]) => which === 'requests' || total.has(name));
  return add(total, new Map(extra));
}

/**
 * What containers of a pod leave unsaid though a quota limits it: `limits.cpu for: a,b; …`. Undefined when all is said.
 * @param names resources that the quota limits
 */
export function unsaidBy({ spec }: Pod, names: readonly string[]): string | undefined {
  const required = MUST_BE_SAID.filter((name) => names.includes(name)).sort();
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const texts = required.flatMap((name) => {
    const silent = containers.filter(({ resources }) => {
      const said = computeUsage(readAmounts(resources?.requests), readAmounts(resources?.limits));
      return !said.has(name);
    });
    const list = silent.map((one) => one.name).sort();
    return list.length > 0 ? [`${name} for: ${list.join(',')}`] : [];
  });
  return texts.length > 0 ? texts.join('; ') : undefined;
}
