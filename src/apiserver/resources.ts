/**
 * The surface of the API: which verbs each served kind takes, and which subresources it has. Routing, discovery and
 * OpenAPI all read it from here.
 */
import { resourceOf } from '#kube/kind.ts';
import type { ServedKind } from '#apiserver/registry.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** A kind by name, where it is not one that is served for itself. */
export interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Subresource {
  readonly name: string;
  readonly verbs: readonly Verb[];
  /** What is sent and answered; the kind itself when absent. */
  readonly kind?: KindName;
  /** Answered with an object of `kind`, which has no storage. */
  readonly isOwnKind?: boolean;
  /** Carried on to somebody else: the node agent, which has a protocol of its own, or a program in a pod. */
  readonly isProxied?: boolean;
  /** HTTP of any method, and what follows is a path over there. */
  readonly hasPaths?: boolean;
}

const BUILTIN_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** The order in which custom resources list theirs. */
const CUSTOM_VERBS: readonly Verb[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
];

const VIRTUAL_VERBS: readonly Verb[] = ['create'];

const WITHOUT_DELETE_COLLECTION = new Set(['namespaces']);

const READ_WRITE: readonly Verb[] = ['get', 'patch', 'update'];
const SCALE: KindName = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

const core = (kind: string): KindName => ({ group: '', version: 'v1', kind });

function httpProxy(options: string): Subresource {
  const verbs: readonly Verb[] = ['create', 'delete', 'get', 'patch', 'update'];
  return { name: 'proxy', verbs, kind: core(options), isProxied: true, hasPaths: true };
}

const OWN: Readonly<Record<string, readonly Subresource[]>> = {
  namespaces: [{ name: 'finalize', verbs: ['update'] }],
  pods: [
    { name: 'attach', verbs: ['create', 'get'], kind: core('PodAttachOptions'), isProxied: true },
    { name: 'binding', verbs: ['create'], kind: core('Binding') },
    { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    { name: 'exec', verbs: ['create', 'get'], kind: core('PodExecOptions'), isProxied: true },
    { name: 'log', verbs: ['get'], isProxied: true },
    { name: 'portforward', verbs: ['create', 'get'], kind: core('PodPortForwardOptions'), isProxied: true },
    httpProxy('PodProxyOptions'),
  ],
  services: [httpProxy('ServiceProxyOptions')],
};

export function verbsOf({ kind, virtual }: ServedKind): readonly Verb[] {
  if (virtual) return VIRTUAL_VERBS;
  if (kind.isCustom) return CUSTOM_VERBS;
  if (!WITHOUT_DELETE_COLLECTION.has(resourceOf(kind))) return BUILTIN_VERBS;
  return BUILTIN_VERBS.filter((verb) => verb !== 'deletecollection');
}

/** In the order of their names. */
export function subresourcesOf({ kind, parts = {} }: ServedKind): Subresource[] {
  const own = OWN[resourceOf(kind)] ?? [];
  const scale: Subresource[] = kind.scale ? [{ name: 'scale', verbs: READ_WRITE, kind: SCALE }] : [];
  const status: Subresource[] = kind.hasStatus ? [{ name: 'status', verbs: READ_WRITE }] : [];
  const virtual = Object.entries(parts).map(([name, part]): Subresource => {
    const { group, version, kind: partKind } = part.kind;
    return { name, verbs: VIRTUAL_VERBS, kind: { group, version, kind: partKind }, isOwnKind: true };
  });
  return [...own, ...virtual, ...scale, ...status].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function subresourceOf(served: ServedKind, name: string): Subresource | undefined {
  return subresourcesOf(served).find((one) => one.name === name);
}
