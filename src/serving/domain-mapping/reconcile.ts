/** Gives every DomainMapping its domain, and returns claims that were made for it; see `plan.ts`. */
import { Controller, controllerOwner, type Outcome, type ReconcileContext, watching } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { onConfigChange } from '#controller/live-configs.ts';
import { definedKinds } from '#kube/defined-kind.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { Service as KubeService } from '#kube/kinds/core/service.ts';
import {
  isBeingDeleted,
  keyOf,
  type KubeObject,
  nameOf,
  namespaceOf,
  type ObjectKey,
  type Stored,
} from '#kube/object.ts';
import { domainMappingConditions } from '#knative/conditions.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { ClusterDomainClaim } from '#knative/kinds/cluster-domain-claim.ts';
import { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';
import { ingressName } from '#knative/names.ts';
import { isKindOf, resolveAddress } from '#serving/domain-mapping/address.ts';
import { type DomainMappingWorld, planDomainMapping } from '#serving/domain-mapping/plan.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from '#serving/finalizer.ts';
import { reconcileKind } from '#serving/reconcile-kind.ts';
import { keyIn } from '#serving/sources.ts';

const BY_REFERENCE = 'reference';
const BY_DOMAIN = 'domain';
const KINDS = [...knativeKinds, ...builtinKinds];

export function createDomainMappingController(environment: ServingEnvironment): Controller {
  const { caches, configs } = environment;
  const mappings = caches.of(DomainMapping);
  caches.of(CustomResourceDefinition);
  mappings.addIndex(BY_REFERENCE, (one) => [referenceKey(one.spec.ref.kind, keyIn(one, one.spec.ref.name))]);
  mappings.addIndex(BY_DOMAIN, (one) => [nameOf(one)]);
  const referrers = ({ object }: { object: KubeObject }) =>
    mappings.byIndex(BY_REFERENCE, referenceKey(object.kind, keyOf(object))).map(keyOf);
  const events = environment.eventsOf('domainmapping-controller');
  const reconcile = reconcileKind(environment, {
    kind: DomainMapping,
    conditions: domainMappingConditions,
    events,
    plan: async (mapping, draft) => {
      const settings = { network: configs.current.network, clusterDomain: environment.clusterDomain };
      return planDomainMapping(await worldOf(environment, mapping), draft, settings);
    },
  });
  return new Controller({
    ...environment,
    name: 'domainmapping',
    sources: [
      watching(mappings),
      watching(caches.of(Ingress), controllerOwner(DomainMapping)),
      watching(caches.of(ClusterDomainClaim), ({ object }) => mappings.byIndex(BY_DOMAIN, nameOf(object)).map(keyOf)),
      watching(caches.of(Service), referrers),
      watching(caches.of(Route), referrers),
      watching(caches.of(KubeService), referrers),
      onConfigChange(configs, ['config-network'], () => mappings.list().map(keyOf)),
    ],
    reconcile: (key, context) => reconcileMapping(environment, { events, key, context, reconcile }),
  });
}

interface Run {
  readonly events: EventRecorder;
  readonly key: ObjectKey;
  readonly context: ReconcileContext;
  readonly reconcile: (key: ObjectKey, context: ReconcileContext) => Promise<Outcome>;
}

async function reconcileMapping(environment: ServingEnvironment, run: Run): Promise<Outcome> {
  const { caches, client } = environment;
  const mapping = caches.of(DomainMapping).byKey(run.key);
  if (!mapping) return;
  const finalizing = { client, events: run.events };
  if (isBeingDeleted(mapping)) {
    if (!hasFinalizer(DomainMapping, mapping)) return;
    await releaseClaim(environment, mapping);
    return removeFinalizer(DomainMapping, mapping, finalizing);
  }
  await addFinalizer(DomainMapping, mapping, finalizing);
  const outcome = await run.reconcile(run.key, run.context);
  const isFollowed = FOLLOWED.some((kind) => isKindOf(mapping.spec.ref, kind));
  return outcome ?? (isFollowed ? undefined : { requeueAfterMs: UNFOLLOWED_MS });
}

/** Changes of these are heard of. */
const FOLLOWED = [Service, Route, KubeService];

/** Anything else that a mapping may refer to is asked for its address again after this long. */
const UNFOLLOWED_MS = 10_000;

/** Only where claims are made on demand, and only one that is the mapping's own. */
async function releaseClaim({ caches, client, configs }: ServingEnvironment, mapping: DomainMapping): Promise<void> {
  if (!configs.current.network.autocreateClusterDomainClaims) return;
  const claim = caches.of(ClusterDomainClaim).byKey(nameOf(mapping));
  if (claim?.spec.namespace === namespaceOf(mapping))
    await client.remove(ClusterDomainClaim, { name: nameOf(mapping) });
}

async function worldOf(environment: ServingEnvironment, mapping: Stored<DomainMapping>): Promise<DomainMappingWorld> {
  const { caches, client, clusterDomain } = environment;
  const { apiVersion, kind, name, namespace = namespaceOf(mapping) } = mapping.spec.ref;
  const kinds = [...KINDS, ...definedKinds(caches.of(CustomResourceDefinition).list())];
  return {
    mapping,
    claim: caches.of(ClusterDomainClaim).byKey(nameOf(mapping)),
    ingress: caches.of(Ingress).byKey(keyIn(mapping, ingressName(nameOf(mapping)))),
    target: await resolveAddress({ apiVersion, kind, namespace, name }, { client, clusterDomain, kinds }),
  };
}

function referenceKey(kind: string, key: ObjectKey): string {
  return `${kind} ${key}`;
}
