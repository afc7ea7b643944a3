/**
 * Keeps the system's own objects as they should be: made when they are missing, brought up to date where they say
 * where we listen and which processes run. ConfigMaps that a user may have changed are only ever made, never changed.
 */
import { clone, deepEqual } from '#base/json.ts';
import { Controller, type Outcome, type Source, watching } from '#controller/controller.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { Kind } from '#kube/kind.ts';
import { type KubeObject, nameOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { isAlreadyExists } from '#kube/status.ts';
import type { PlatformState } from '#protocol/platform.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';
import {
  apiService,
  componentPod,
  gatewayServices,
  MIRROR_ANNOTATION,
  SYSTEM_NAMESPACE,
  type SystemFacts,
  systemNamespaces,
} from '#workloads/system/objects.ts';

export interface SystemOptions extends WorkloadEnvironment {
  readonly facts: SystemFacts;
  /** Knative's ConfigMaps with their documented examples. */
  readonly configMaps: readonly ConfigMap[];
  /** Knative's kinds, as they show among the CustomResourceDefinitions. */
  readonly definitions: readonly CustomResourceDefinition[];
  /** Which of our processes run, now. */
  readonly platform: () => PlatformState;
  /** Calls back when that changed; the answer ends it. */
  readonly onPlatformChange: (changed: () => void) => Disposable;
}

/** One key stands for everything: it is little, and all of it is looked at together. */
const KEY = 'system';

/** Makes what must be there before any controller runs: namespaces, ConfigMaps and definitions. */
export async function bootstrapSystem({
  client,
  configMaps,
  definitions,
}: Pick<SystemOptions, 'client' | 'configMaps' | 'definitions'>): Promise<void> {
  for (const namespace of systemNamespaces()) await ensure(client, Namespace, namespace);
  for (const configMap of configMaps) await ensure(client, ConfigMap, configMap);
  await Promise.all(definitions.map((definition) => ensureDefinition(client, definition)));
}

/** A newer version of the program may define its kinds otherwise than the one before; labels are the user's. */
async function ensureDefinition(client: SystemOptions['client'], wanted: CustomResourceDefinition): Promise<void> {
  const ref = { name: nameOf(wanted) };
  const known = await client.find(CustomResourceDefinition, ref);
  if (!known) return ensure(client, CustomResourceDefinition, wanted);
  const { spec } = wanted;
  if (deepEqual(known.spec, spec)) return;
  await client.modify(CustomResourceDefinition, ref, (current) => ({ ...current, spec }));
}

async function ensure<T extends KubeObject>(client: SystemOptions['client'], kind: Kind<T>, object: T): Promise<void> {
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

export function createSystemController(options: SystemOptions): Controller {
  const { caches } = options;
  const ours = (namespaces: readonly string[]) => (change: { object: KubeObject }) =>
    namespaces.includes(change.object.metadata.namespace ?? change.object.metadata.name ?? '') ? [KEY] : [];
  const all = systemNamespaces().map(({ metadata }) => metadata.name ?? '');
  return new Controller({
    ...options,
    name: 'system',
    sources: [
      watching(caches.of(Namespace), ours(all)),
      watching(caches.of(Service), ours(['default', 'kourier-system'])),
      watching(caches.of(Pod), ours([SYSTEM_NAMESPACE])),
      platformSource(options),
    ],
    reconcile: (key) => reconcile(options, key),
  });
}

function platformSource({ onPlatformChange }: SystemOptions): Source {
  let subscription: Disposable | undefined;
  return {
    start: (enqueue) => {
      subscription = onPlatformChange(() => enqueue(KEY));
      enqueue(KEY);
    },
    keys: () => [KEY],
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}

async function reconcile(options: SystemOptions, _key: ObjectKey): Promise<Outcome> {
  const { facts } = options;
  await bootstrapSystem(options);
  const api = apiService(facts);
  await put(options, Service, api.service);
  await put(options, Endpoints, api.endpoints);
  await put(options, EndpointSlice, api.slice);
  for (const { service, endpoints, loadBalancer } of gatewayServices(facts)) {
    await put(options, Service, service);
    await put(options, Endpoints, endpoints);
    if (loadBalancer !== undefined) await putLoadBalancer(options, service, loadBalancer);
  }
  for (const process of options.platform().processes) await putComponent(options, componentPod(process, facts));
}

/** The members beside the labels that are kept as they should be, where a kind has them. */
const KEPT = ['subsets', 'endpoints', 'ports'] as const;

/** Creates the object, or gives the one that is there the wanted labels, spec and addresses. */
async function put<T extends KubeObject & { spec?: unknown } & { [K in (typeof KEPT)[number]]?: unknown }>(
  options: SystemOptions,
  kind: Kind<T>,
  wanted: T,
): Promise<void> {
  const { client, caches } = options;
  const { namespace, name = '' } = wanted.metadata;
  const known = caches.of(kind).get({ namespace, name });
  if (!known) return ensure(client, kind, wanted);
  const spec = wanted.spec === undefined ? known.spec : { ...(known.spec as object), ...wanted.spec };
  const changed: T = {
    ...known,
    metadata: { ...clone(known.metadata), labels: { ...known.metadata.labels, ...wanted.metadata.labels } },
  };
  if (spec !== undefined) changed.spec = spec;
  for (const name of KEPT) if (wanted[name] !== undefined) changed[name] = wanted[name];
  if (!deepEqual(known, changed)) await client.update(kind, changed);
}

async function putLoadBalancer({ client, caches }: SystemOptions, { metadata }: Service, ip: string): Promise<void> {
  const ref = { namespace: metadata.namespace, name: metadata.name ?? '' };
  const status = { loadBalancer: { ingress: [{ ip }] } };
  if (deepEqual(caches.of(Service).get(ref)?.status?.loadBalancer, status.loadBalancer)) return;
  await client.modify(
    Service,
    ref,
    (current: Stored<Service>) => ({ ...current, status: { ...current.status, ...status } }),
    'status',
  );
}

/** A process that was started again is another pod of the same name. */
async function putComponent({ client, caches }: SystemOptions, wanted: Pod): Promise<void> {
  const ref = { namespace: wanted.metadata.namespace, name: wanted.metadata.name ?? '' };
  const mark = (pod: Pod | undefined) => pod?.metadata.annotations?.[MIRROR_ANNOTATION];
  const known = caches.of(Pod).get(ref);
  if (known && mark(known) !== mark(wanted)) await client.derived.remove(Pod, ref, { gracePeriodSeconds: 0 });
  if (!known || mark(known) !== mark(wanted)) {
    const { status: _status, ...rest } = wanted;
    await client.derived.create(Pod, rest);
  }
  const write = (current: Stored<Pod>) =>
    deepEqual(current.status, wanted.status) ? undefined : { ...current, status: wanted.status };
  await client.derived.modify(Pod, ref, write, 'status');
}
