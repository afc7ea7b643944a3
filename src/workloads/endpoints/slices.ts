/** Converges the slices of one Service to a planned content, reusing those that are there. */
import { clone, deepEqual } from '#base/json.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { typed } from '#kube/kind.ts';
import { type KubeObject, labelsOf, type ObjectRef, type Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { isStatus } from '#kube/status.ts';
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { refOfKey, type ObjectKey } from '#kube/object.ts';
import {
  HEADLESS_LABEL,
  isHeadless,
  mirroredAnnotations,
  mirrorSlices,
  selectsPods,
  type SliceContent,
} from '#workloads/endpoints/plan.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const SLICE_MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const BY_SERVICE = 'service-and-manager';

export interface WantedSlices {
  /** The Service. */
  readonly ref: ObjectRef;
  /** Who owns the slices: the Service, or the Endpoints that they mirror; absent when all slices are to go. */
  readonly owner: Stored<Service> | Stored<Endpoints> | undefined;
  readonly slices: readonly SliceContent[];
  /** What the slices carry besides labels; what they have stays when absent. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

interface WantedSlice extends Pick<WantedSlices, 'annotations'> {
  readonly known: Stored<EndpointSlice> | undefined;
  readonly content: SliceContent;
}

export class SliceWriter {
  readonly #environment: WorkloadEnvironment;
  readonly #manager: string;

  constructor(environment: WorkloadEnvironment, manager: string) {
    this.#environment = environment;
    this.#manager = manager;
    environment.caches.of(EndpointSlice).addIndex(BY_SERVICE, (slice) => {
      const labels = labelsOf(slice);
      return [
        `${slice.metadata.namespace ?? ''}/${labels[SERVICE_NAME_LABEL] ?? ''}/${labels[SLICE_MANAGED_BY] ?? ''}`,
      ];
    });
  }

  async converge({ ref, owner, slices, annotations }: WantedSlices): Promise<void> {
    const { caches, client } = this.#environment;
    const id = `${ref.namespace ?? ''}/${ref.name}/${this.#manager}`;
    const known = caches.of(EndpointSlice).byIndex(BY_SERVICE, id);
    for (const [index, content] of slices.entries()) {
      if (owner) await this.#put(owner, ref, { known: known[index], content, annotations });
    }
    for (const slice of known.slice(slices.length)) {
      await client.derived.remove(EndpointSlice, { namespace: slice.metadata.namespace, name: slice.metadata.name });
    }
  }

  async #put(owner: KubeObject, ref: ObjectRef, { known, content, annotations }: WantedSlice): Promise<void> {
    const { client } = this.#environment;
    const labels = this.#labels(owner, ref);
    if (!known) {
      const metadata = {
        generateName: `${ref.name}-`,
        namespace: ref.namespace,
        labels,
        ...(annotations && { annotations }),
        ownerReferences: [controllerRefTo(owner)],
      };
      try {
        await client.derived.create(EndpointSlice, typed(EndpointSlice, { metadata, addressType: 'IPv4', ...content }));
      } catch (error) {
        if (!isStatus(error, 'Forbidden')) throw error;
      }
      return;
    }
    const metadata = { ...clone(known.metadata), labels, ...(annotations && { annotations }) };
    const wanted = { ...known, metadata, ...content };
    if (!deepEqual(known, wanted)) await client.derived.update(EndpointSlice, wanted);
  }

  #labels(owner: KubeObject, { name }: ObjectRef): Record<string, string> {
    const headless = owner.kind === 'Service' && isHeadless(owner as Service) ? { [HEADLESS_LABEL]: '' } : {};
    return { ...labelsOf(owner), [SERVICE_NAME_LABEL]: name, [SLICE_MANAGED_BY]: this.#manager, ...headless };
  }
}

/** Slices for Endpoints that somebody else writes, such as Knative's public Services. */
export function createSliceMirrorController(environment: WorkloadEnvironment): Controller {
  const { caches } = environment;
  const writer = new SliceWriter(environment, 'endpointslicemirroring-controller.k8s.io');
  const reconcile = async (key: ObjectKey): Promise<Outcome> => {
    const endpoints = caches.of(Endpoints).byKey(key);
    const service = caches.of(Service).byKey(key);
    const isMirrored = endpoints && service && !selectsPods(service) && labelsOf(endpoints)[SKIP_MIRROR] !== 'true';
    const slices = isMirrored ? mirrorSlices(endpoints) : [];
    const annotations = endpoints && mirroredAnnotations(endpoints);
    await writer.converge({ ref: refOfKey(key), owner: endpoints, slices, annotations });
  };
  return new Controller({
    ...environment,
    name: 'endpointslice-mirroring',
    sources: [watching(caches.of(Endpoints)), watching(caches.of(Service))],
    reconcile,
  });
}
