/** Tables of nodes, namespaces and quotas. */
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import { ageColumn, ageOf, column, nameColumn, NONE, noneIfEmpty, tableFor, wide } from '#apiserver/table/columns.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';
const UNKNOWN = '<unknown>';

export const nodeTable = tableFor(Node, {
  columns: [
    nameColumn,
    column('Status', 'Whether the node is ready, and whether it takes pods.'),
    column('Roles', 'What the node is for.'),
    ageColumn,
    column('Version', 'Version of the node agent.'),
    wide('Internal-IP', 'Address inside.'),
    wide('External-IP', 'Address outside.'),
    wide('OS-Image', 'Operating system.'),
    wide('Kernel-Version', 'Version of the kernel.'),
    wide('Container-Runtime', 'What runs the containers, and its version.'),
  ],
  row(node, now) {
    const info = node.status?.nodeInfo;
    return {
      cells: [
        node.metadata.name ?? '',
        statusText(node),
        noneIfEmpty(rolesOf(node).join(',')),
        ageOf(node, now),
        info?.kubeletVersion ?? '',
        addressOf(node, 'InternalIP'),
        addressOf(node, 'ExternalIP'),
        info?.osImage || UNKNOWN,
        info?.kernelVersion || UNKNOWN,
        info?.containerRuntimeVersion || UNKNOWN,
      ],
    };
  },
});

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const state = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec?.unschedulable ? `${state},SchedulingDisabled` : state;
}

function rolesOf({ metadata }: Node): string[] {
  const roles = Object.entries(metadata.labels ?? {}).map(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return key.slice(ROLE_PREFIX.length);
    return key === ROLE_LABEL ? value : '';
  });
  return [...new Set(roles.filter((role) => role !== ''))].sort();
}

function addressOf({ status }: Node, wanted: string): string {
  return status?.addresses?.find(({ type }) => type === wanted)?.address ?? NONE;
}

export const namespaceTable = tableFor(Namespace, {
  columns: [nameColumn, column('Status', 'Whether it is in use or on its way out.'), ageColumn],
  row: (namespace, now) => ({
    cells: [namespace.metadata.name ?? '', namespace.status?.phase ?? '', ageOf(namespace, now)],
  }),
});

export const resourceQuotaTable = tableFor(ResourceQuota, {
  columns: [
    nameColumn,
    column('Request', 'Use and limit of everything but limits.'),
    column('Limit', 'Use and limit of what pods are limited to.'),
    ageColumn,
  ],
  row(quota, now) {
    const { hard = {}, used = {} } = quota.status ?? {};
    const names = Object.keys(hard).sort();
    const text = (wanted: readonly string[]) =>
      wanted.map((name) => `${name}: ${used[name] ?? '0'}/${hard[name] ?? '0'}`).join(', ');
    const isLimit = (name: string) => name.startsWith('limits.');
    const requests = names.filter((name) => !isLimit(name));
    return {
      cells: [quota.metadata.name ?? '', text(requests), text(names.filter(isLimit)), ageOf(quota, now)],
    };
  },
});
