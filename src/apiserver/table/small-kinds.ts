/** Tables with a column or two of their own. */
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { Lease } from '#kube/kinds/coordination/lease.ts';
import type { KubeObject } from '#kube/object.ts';
import type { RoleRef, Subject } from '#kube/kinds/rbac/rules.ts';
import { ageColumn, ageOf, column, nameColumn, tableFor, type TableKind, wide } from '#apiserver/table/columns.ts';

function countOf(members: object | undefined): number {
  return Object.keys(members ?? {}).length;
}

export const configMapTable = tableFor(ConfigMap, {
  columns: [nameColumn, column('Data', 'How many entries it has.'), ageColumn],
  row: (configMap, now) => ({
    cells: [
      configMap.metadata.name ?? '',
      countOf(configMap.data) + countOf(configMap.binaryData),
      ageOf(configMap, now),
    ],
  }),
});

export const secretTable = tableFor(Secret, {
  columns: [
    nameColumn,
    column('Type', 'What the secret is for.'),
    column('Data', 'How many entries it has.'),
    ageColumn,
  ],
  row: (secret, now) => ({
    cells: [secret.metadata.name ?? '', secret.type ?? '', countOf(secret.data), ageOf(secret, now)],
  }),
});

export const serviceAccountTable = tableFor(ServiceAccount, {
  columns: [nameColumn, column('Secrets', 'How many secrets its pods may mount.'), ageColumn],
  row: (account, now) => ({
    cells: [account.metadata.name ?? '', (account.secrets ?? []).length, ageOf(account, now)],
  }),
});

export const leaseTable = tableFor(Lease, {
  columns: [nameColumn, column('Holder', 'Who holds the lease.'), ageColumn],
  row: (lease, now) => ({
    cells: [lease.metadata.name ?? '', lease.spec?.holderIdentity ?? '', ageOf(lease, now)],
  }),
});

/** Kinds without columns of their own that are not custom: roles, definitions. */
export const createdAtTable: TableKind = {
  columns: [nameColumn, column('Created At', 'When it was created.', { type: 'date' })],
  row: ({ metadata }) => ({ cells: [metadata.name ?? '', metadata.creationTimestamp ?? null] }),
};

type Binding = KubeObject & { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] };

export const bindingTable: TableKind = {
  columns: [
    nameColumn,
    column('Role', 'The role that is given.'),
    ageColumn,
    wide('Users', 'Users who have it.'),
    wide('Groups', 'Groups that have it.'),
    wide('ServiceAccounts', 'Service accounts that have it.'),
  ],
  row(object, now) {
    const { metadata, roleRef, subjects = [] } = object as Binding;
    const names = (kind: string) => subjects.filter((subject) => subject.kind === kind).map(({ name }) => name);
    const accounts = subjects
      .filter(({ kind }) => kind === 'ServiceAccount')
      .map(({ namespace = '', name }) => `${namespace}/${name}`);
    return {
      cells: [
        metadata.name ?? '',
        `${roleRef.kind}/${roleRef.name}`,
        ageOf(object, now),
        names('User').join(', '),
        names('Group').join(', '),
        accounts.join(', '),
      ],
    };
  },
};
