/**
 * Writes the Endpoints and the EndpointSlices of every Service that selects pods, and mirrors the Endpoints of those
 * that don't into slices. Derived throughout: pods and Services say it all again.
 */
import { clone, deepEqual } from '#base/json.ts';
import type { Cache, Change } from '#client/cache.ts';
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { typed } from '#kube/kind.ts';
import {
  annotationsOf,
  keyOf,
  labelsOf,
  namespaceOf,
  type ObjectKey,
  type ObjectRef,
  refOfKey,
  type Stored,
  uidOf,
} from '#kube/object.ts';
import { isAlreadyExists, isConflict, isNotFound } from '#kube/status.ts';
import { formatTime, parseTime } from '#kube/time.ts';
import {
  HEADLESS_LABEL,
  isHeadless,
  isSelected,
  planSlices,
  planSubsets,
  selectsPods,
} from '#workloads/endpoints/plan.ts';
import { SliceWriter } from '#workloads/endpoints/slices.ts';
import { podCondition } from '#workloads/pods.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const CONTROLLER = 'endpoint-controller';
const LAST_CHANGE = 'endpoints.kubernetes.io/last-change-trigger-time';
const BY_SELECTOR = 'selector';

export function createEndpointsController(environment: WorkloadEnvironment): Controller {
  const { caches } = environment;
  const services = caches.of(Service);
  services.addIndex(BY_SELECTOR, selectorKeys);
  const pods = caches.of(Pod);
  pods.addIndex('namespace', (pod) => [namespaceOf(pod)]);
  const reconciler = new EndpointsReconciler(environment);
  return new Controller({
    ...environment,
    name: 'endpoints',
    sources: [
      watching(services),
      watching(pods, (change) => servicesOf(services, change)),
      watching(caches.of(Endpoints), ({ object }) => (isManaged(object) ? [keyOf(object)] : [])),
    ],
    reconcile: (key) => reconciler.reconcile(key),
  });
}

/** Services are found from a pod by one of its labels: the first pair of the selector, in the order of keys. */
function selectorKeys(service: Service): string[] {
  const [first] = Object.entries(service.spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return first ? [labelKey(namespaceOf(service), first)] : [];
}

function labelKey(namespace: string, [key, value]: [string, string]): string {
  return `${namespace}/${key}=${value}`;
}

function servicesOf(services: Cache<Service>, { object: pod }: Change<Pod>): ObjectKey[] {
  const candidates = Object.entries(labelsOf(pod)).flatMap((label) =>
    services.byIndex(BY_SELECTOR, labelKey(namespaceOf(pod), label)),
  );
  return candidates.filter((service) => isSelected(service, pod)).map(keyOf);
}

class EndpointsReconciler {
  readonly #environment: WorkloadEnvironment;
  readonly #slices: SliceWriter;

  constructor(environment: WorkloadEnvironment) {
    this.#environment = environment;
    this.#slices = new SliceWriter(environment, 'endpointslice-controller.k8s.io');
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const { caches } = this.#environment;
    const service = caches.of(Service).byKey(key);
    if (!service) {
      await this.#deleteEndpoints(refOfKey(key));
      await this.#slices.converge({ ref: refOfKey(key), owner: undefined, slices: [] });
      return;
    }
    if (!selectsPods(service)) return;
    const pods = caches
      .of(Pod)
      .byIndex('namespace', namespaceOf(service))
      .filter((pod) => isSelected(service, pod));
    await this.#writeEndpoints(service, pods);
    await this.#slices.converge({ ref: refOfKey(key), owner: service, slices: planSlices(service, pods) });
  }

  /** Only what this controller wrote: Endpoints of one's own making may stand without a Service. */
  async #deleteEndpoints(ref: ObjectRef): Promise<void> {
    const { caches, client } = this.#environment;
    const known = caches.of(Endpoints).get(ref);
    if (!known || !isManaged(known)) return;
    const preconditions = { uid: uidOf(known) };
    await client.derived.delete(Endpoints, ref, { preconditions }).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
  }

  async #writeEndpoints(service: Stored<Service>, pods: readonly Stored<Pod>[]): Promise<void> {
    const { caches, client } = this.#environment;
    const ref: ObjectRef = { namespace: service.metadata.namespace, name: service.metadata.name };
    const known = caches.of(Endpoints).get(ref);
    const wanted = endpointsOf(service, known, pods);
    if (!known) {
      await client.derived.create(Endpoints, wanted).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      return;
    }
    const isSame = deepEqual(known.subsets ?? [], wanted.subsets ?? []) && deepEqual(labelsOf(known), labelsOf(wanted));
    if (!isSame) await client.derived.update(Endpoints, wanted);
  }
}

function endpointsOf(service: Stored<Service>, known: Stored<Endpoints> | undefined, pods: readonly Pod[]): Endpoints {
  const headless = isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {};
  const labels = { ...labelsOf(service), [MANAGED_BY]: CONTROLLER, ...headless };
  const trigger = { [LAST_CHANGE]: lastChange(service, pods) };
  const { namespace, name } = service.metadata;
  const metadata = known
    ? { ...clone(known.metadata), labels, annotations: { ...annotationsOf(known), ...trigger } }
    : { namespace, name, labels, annotations: trigger };
  const subsets = planSubsets(service, pods);
  return typed(Endpoints, subsets.length > 0 ? { metadata, subsets } : { metadata });
}

function isManaged(endpoints: Endpoints): boolean {
  return labelsOf(endpoints)[MANAGED_BY] === CONTROLLER;
}

/** The newest readiness change among the pods, or the Service's creation. */
function lastChange(service: Stored<Service>, pods: readonly Pod[]): string {
  const times = pods.map((pod) => parseTime(podCondition(pod, 'Ready')?.lastTransitionTime) ?? 0);
  return formatTime(Math.max(parseTime(service.metadata.creationTimestamp) ?? 0, ...times));
}
