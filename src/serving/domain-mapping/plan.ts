/**
 * A DomainMapping leads a domain of the user's own to something in its namespace that has an address.
 *
 *     the domain is claimed for the namespace → certificate → reference resolved → Ingress that rewrites the host
 *
 * What comes after the first obstacle is not tried, and its condition stays Unknown.
 */
import { deepEqual } from '#base/json.ts';
import { typed } from '#kube/kind.ts';
import { annotationsOf, labelsOf, nameOf, namespaceOf, type Stored, uidOf } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { type domainMappingConditions, findCondition, READY, type Reason } from '#knative/conditions.ts';
import { externalUrl, type NetworkConfig } from '#knative/config/network.ts';
import { ClusterDomainClaim } from '#knative/kinds/cluster-domain-claim.ts';
import type { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import {
  CERTIFICATE_CLASS_KEYS,
  DOMAIN_MAPPING_NAMESPACE_LABEL,
  DOMAIN_MAPPING_UID_LABEL,
  INGRESS_CLASS_KEYS,
  LAST_APPLIED_ANNOTATION,
  valueByKeys,
  withoutKeys,
} from '#knative/labels.ts';
import { ingressName } from '#knative/names.ts';
import { withContentOf } from '#serving/content.ts';
import type { Draft, NamesOf, Plan } from '#serving/draft.ts';
import { httpOptionOf } from '#serving/http-option.ts';
import { create, type Step, update } from '#serving/steps.ts';

export type DomainMappingStatus = NonNullable<DomainMapping['status']>;
export type DomainMappingDraft = Draft<DomainMappingStatus, NamesOf<typeof domainMappingConditions>>;

export interface DomainMappingWorld {
  readonly mapping: Stored<DomainMapping>;
  readonly claim?: ClusterDomainClaim | undefined;
  readonly ingress?: Stored<Ingress> | undefined;
  /** Where `spec.ref` leads, or why that cannot be said. */
  readonly target: URL | Error;
}

export interface DomainMappingSettings {
  readonly network: NetworkConfig;
  readonly clusterDomain: string;
}

const NOT_CONFIGURED: Reason = {
  reason: 'IngressNotConfigured',
  message: 'Ingress has not yet been reconciled.',
};
const ALREADY_CLAIMED: Reason = {
  reason: 'DomainAlreadyClaimed',
  message: 'The domain name is already in use by another DomainMapping',
};
const OWN_CERTIFICATE: Reason = {
  reason: 'CertificateExternallyProvided',
  message: 'TLS certificate was provided externally',
};
const TLS_NOT_ENABLED: Reason = { reason: 'TLSNotEnabled', message: 'external-domain-tls is not enabled' };

export function planDomainMapping(
  world: DomainMappingWorld,
  draft: DomainMappingDraft,
  settings: DomainMappingSettings,
): Plan {
  const { mapping } = world;
  const { conditions, status } = draft;
  if (mapping.metadata.generation !== mapping.status?.observedGeneration) {
    conditions.markUnknown('IngressReady', NOT_CONFIGURED);
  }
  status.url = urlOf(mapping, settings.network);
  status.address = { url: status.url };
  const claimed = planClaim(world, draft, settings.network);
  if (claimed.failure) return claimed;
  conditions.markTrue('CertificateProvisioned', mapping.spec.tls ? OWN_CERTIFICATE : TLS_NOT_ENABLED);
  const backend = backendOf(world, settings.clusterDomain);
  if (backend instanceof Error) {
    const message = world.target instanceof Error ? world.target.message : backend.message;
    conditions.markFalse('ReferenceResolved', { reason: 'ResolveFailed', message });
    return { steps: claimed.steps, failure: backend };
  }
  conditions.markTrue('ReferenceResolved');
  return { steps: [...claimed.steps, ...planIngress(world, draft, { settings, backend })] };
}

function urlOf(mapping: DomainMapping, network: NetworkConfig): string {
  return externalUrl(network, mapping.spec.tls ? 'https' : network.defaultExternalScheme, nameOf(mapping));
}

/** A domain belongs to one namespace of the whole cluster: that is what its claim says. */
function planClaim(
  { mapping, claim }: DomainMappingWorld,
  { conditions }: DomainMappingDraft,
  network: NetworkConfig,
): Plan {
  const domain = nameOf(mapping);
  const namespace = namespaceOf(mapping);
  if (claim && claim.spec.namespace !== namespace) {
    conditions.markFalse('DomainClaimed', ALREADY_CLAIMED);
    const why = `namespace "${namespace}" does not own ClusterDomainClaim for "${domain}"`;
    return { steps: [], failure: new Error(why) };
  }
  if (!claim && !network.autocreateClusterDomainClaims) {
    conditions.markFalse('DomainClaimed', ALREADY_CLAIMED);
    const why = `no ClusterDomainClaim found for domain "${domain}"`;
    return { steps: [], failure: new Error(`${why} (and autocreate-cluster-domain-claims property is not true)`) };
  }
  conditions.markTrue('DomainClaimed');
  if (claim) return { steps: [] };
  const wanted = typed(ClusterDomainClaim, { metadata: { name: domain }, spec: { namespace } });
  return { steps: [create(ClusterDomainClaim, wanted, { doing: 'failed to create ClusterDomainClaim' })] };
}

interface Backend {
  /** The cluster-local host of the target, and the Service that is its first part. */
  readonly host: string;
  readonly service: string;
}

/** The target must be a Service of the mapping's namespace, by its cluster-local name, without a path. */
function backendOf({ mapping, target }: DomainMappingWorld, clusterDomain: string): Backend | Error {
  if (target instanceof Error) return new Error(`resolving reference: ${target.message}`, { cause: target });
  const suffix = `.svc.${clusterDomain}`;
  const uri = target.href.replace(/\/$/, '');
  if (target.pathname.replace(/\/$/, '') !== '') return new Error(`resolved URI "${uri}" contains a path`);
  const [service = '', namespace = '', ...more] = target.hostname.slice(0, -suffix.length).split('.');
  if (!target.hostname.endsWith(suffix) || namespace === '' || more.length > 0) {
    return new Error(`resolved URI "${uri}" must be of the form {name}.{namespace}${suffix}`);
  }
  if (namespace !== namespaceOf(mapping)) {
    return new Error(`resolved URI "${uri}" must be in same namespace as DomainMapping`);
  }
  return { host: target.hostname, service };
}

function planIngress(
  { mapping, ingress }: DomainMappingWorld,
  { conditions }: DomainMappingDraft,
  at: { settings: DomainMappingSettings; backend: Backend },
): Step[] {
  const desired = desiredIngress(mapping, at.settings.network, at.backend);
  if (!ingress) {
    conditions.markUnknown('IngressReady', NOT_CONFIGURED);
    const created = `Created Ingress "${nameOf(desired)}"`;
    const announce = { about: mapping, created, failed: 'Failed to create Ingress' };
    return [create(Ingress, desired, { announce, doing: 'failed to create Ingress' })];
  }
  const changed = withContentOf(ingress, desired);
  const ready = findCondition(ingress.status, READY);
  const isObserved = ingress.metadata.generation === ingress.status?.observedGeneration;
  if (!ready || !isObserved || !deepEqual(ingress.spec, changed.spec)) {
    conditions.markUnknown('IngressReady', NOT_CONFIGURED);
  } else if (ready.status === 'True') conditions.markTrue('IngressReady');
  else conditions.copy('IngressReady', ready);
  return deepEqual(ingress, changed) ? [] : [update(Ingress, changed, { doing: 'failed to update Ingress' })];
}

const [INGRESS_CLASS, INGRESS_CLASS_ALIAS] = INGRESS_CLASS_KEYS;
const [, CERTIFICATE_CLASS_ALIAS] = CERTIFICATE_CLASS_KEYS;
const NOT_COPIED = [LAST_APPLIED_ANNOTATION, INGRESS_CLASS_ALIAS ?? '', CERTIFICATE_CLASS_ALIAS ?? ''] as const;

function desiredIngress(mapping: DomainMapping, network: NetworkConfig, { host, service }: Backend): Ingress {
  const domain = nameOf(mapping);
  const namespace = namespaceOf(mapping);
  const split = { serviceNamespace: namespace, serviceName: service, servicePort: 80, percent: 100 };
  const paths = [{ rewriteHost: host, splits: [{ ...split, appendHeaders: { 'K-Original-Host': domain } }] }];
  const { tls } = mapping.spec;
  return typed(Ingress, {
    metadata: {
      name: ingressName(domain),
      namespace: mapping.metadata.namespace,
      labels: {
        ...labelsOf(mapping),
        [DOMAIN_MAPPING_UID_LABEL]: uidOf(mapping),
        [DOMAIN_MAPPING_NAMESPACE_LABEL]: namespace,
      },
      annotations: {
        ...withoutKeys(annotationsOf(mapping), NOT_COPIED),
        [INGRESS_CLASS]: valueByKeys(annotationsOf(mapping), INGRESS_CLASS_KEYS) || network.ingressClass,
      },
      ownerReferences: [controllerRefTo(mapping)],
    },
    spec: {
      httpOption: httpOptionOf(mapping, network) || undefined,
      rules: [{ hosts: [domain], visibility: 'ExternalIP', http: { paths } }],
      tls: tls && [{ hosts: [domain], secretName: tls.secretName, secretNamespace: namespace }],
    },
  });
}
