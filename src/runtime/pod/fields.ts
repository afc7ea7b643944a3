/**
 * Fields of the pod that environment variables and volumes may show (the downward API). Pure; a path that is none of
 * them is a configuration error.
 */
import type { ResourceFieldSelector } from '#kube/kinds/core/env.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { annotationsOf, labelsOf } from '#kube/object.ts';
import { quantityToNumber } from '#kube/quantity.ts';

export interface FieldInput {
  readonly pod: Pod;
  readonly podIp: string;
  readonly hostIp: string;
  readonly nodeName: string;
}

/** @throws Error naming the path when there is no such field. */
export function podField({ pod, podIp, hostIp, nodeName }: FieldInput, fieldPath: string): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (subscript) {
    const values = subscript[1] === 'labels' ? labelsOf(pod) : annotationsOf(pod);
    return values[subscript[2] ?? ''] ?? '';
  }
  const { metadata, spec } = pod;
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': metadata.name ?? '',
    'metadata.namespace': metadata.namespace ?? '',
    'metadata.uid': metadata.uid ?? '',
    'metadata.labels': renderMap(labelsOf(pod)),
    'metadata.annotations': renderMap(annotationsOf(pod)),
    'spec.nodeName': nodeName,
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'status.hostIP': hostIp,
    'status.hostIPs': hostIp,
    'status.podIP': podIp,
    'status.podIPs': podIp,
  };
  const value = fields[fieldPath];
  if (value === undefined) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  return value;
}

/** `key="value"` lines, sorted, as the kubelet writes them into downward API files. */
function renderMap(values: Readonly<Record<string, string>>): string {
  return Object.keys(values)
    .sort()
    .map((key) => `${key}=${JSON.stringify(values[key])}`)
    .join('\n');
}

export interface ResourceInput {
  readonly pod: Pod;
  readonly container?: Container | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
}

/** `limits.cpu` and the like in units of the divisor, rounded up; without a limit, what the node can give. */
export function resourceField({ pod, container, allocatable }: ResourceInput, selector: ResourceFieldSelector): string {
  const { resource, containerName, divisor } = selector;
  const owner = containerName ? pod.spec.containers.find(({ name }) => name === containerName) : container;
  const [kind = '', ...rest] = resource.split('.');
  const name = rest.join('.');
  const own = kind === 'limits' ? owner?.resources?.limits?.[name] : owner?.resources?.requests?.[name];
  const text = own ?? (kind === 'limits' ? allocatable[name] : undefined) ?? '0';
  const unit = divisor && quantityToNumber(divisor) > 0 ? quantityToNumber(divisor) : 1;
  return String(Math.ceil(quantityToNumber(text) / unit));
}
