/** The Ingress that carries a Route out: one rule per host and visibility, shares as a rollout under way has them. */
import { typed } from '#kube/kind.ts';
import { annotationsOf, labelsOf, nameOf, namespaceOf } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import type { FeaturesConfig } from '#knative/config/features.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import type { Route } from '#knative/kinds/route.ts';
import {
  CERTIFICATE_CLASS_KEYS,
  INGRESS_CLASS_KEYS,
  LAST_APPLIED_ANNOTATION,
  ROLLOUT_ANNOTATION,
  ROUTE_LABEL,
  ROUTE_NAMESPACE_LABEL,
  TAG_TO_HOST_ANNOTATION,
  valueByKeys,
  withoutKeys,
} from '#knative/labels.ts';
import { ingressName } from '#knative/names.ts';
import { httpOptionOf } from '#serving/http-option.ts';
import { PUBLIC_PORTS } from '#serving/revision/protocol.ts';
import { expandedHosts, externalHost, type HostSettings, localHost, type Visibility } from '#serving/route/hosts.ts';
import { renderRollout, type Rollout, rolloutOf } from '#serving/route/rollout.ts';
import type { RevisionTarget, Traffic } from '#serving/route/traffic.ts';

type IngressSpec = Ingress['spec'];
type Rule = NonNullable<IngressSpec['rules']>[number];
type Path = NonNullable<Rule['http']>['paths'][number];
type Split = Path['splits'][number];

export interface IngressSettings extends HostSettings {
  readonly features: FeaturesConfig;
}

export interface IngressInput {
  readonly route: Route;
  readonly traffic: Traffic;
  readonly rollout: Rollout;
  /** By tag. */
  readonly visibility: (tag: string) => Visibility;
}

const REVISION_HEADER = 'Knative-Serving-Revision';
const NAMESPACE_HEADER = 'Knative-Serving-Namespace';
const TAG_HEADER = 'Knative-Serving-Tag';
const DEFAULT_ROUTE_HEADER = 'Knative-Serving-Default-Route';

const [INGRESS_CLASS, INGRESS_CLASS_ALIAS] = INGRESS_CLASS_KEYS;
const [, CERTIFICATE_CLASS_ALIAS] = CERTIFICATE_CLASS_KEYS;
/** Aliases become the canonical key; what kubectl applied concerns the Route only. */
const NOT_COPIED = [LAST_APPLIED_ANNOTATION, INGRESS_CLASS_ALIAS ?? '', CERTIFICATE_CLASS_ALIAS ?? ''] as const;

export function desiredIngress(input: IngressInput, settings: IngressSettings): Ingress {
  const { route, rollout } = input;
  const { rules, tagHosts } = rulesOf(input, settings);
  const ingressClass = valueByKeys(annotationsOf(route), INGRESS_CLASS_KEYS) || settings.network.ingressClass;
  const annotations: Record<string, string> = {
    ...withoutKeys(annotationsOf(route), NOT_COPIED),
    [INGRESS_CLASS]: ingressClass,
    [ROLLOUT_ANNOTATION]: renderRollout(rollout),
  };
  // Only header-based routing has a use for it; releases before that never wrote it.
  const isTagHeaderOn = settings.features.tagHeaderBasedRouting === 'Enabled';
  if (isTagHeaderOn && tagHosts.length > 0) {
    annotations[TAG_TO_HOST_ANNOTATION] = JSON.stringify(Object.fromEntries(tagHosts));
  }
  return typed(Ingress, {
    metadata: {
      name: ingressName(nameOf(route)),
      namespace: route.metadata.namespace,
      labels: { ...labelsOf(route), [ROUTE_LABEL]: nameOf(route), [ROUTE_NAMESPACE_LABEL]: namespaceOf(route) },
      annotations,
      ownerReferences: [controllerRefTo(route)],
    },
    spec: { httpOption: httpOptionOf(route, settings.network) || undefined, rules },
  });
}

function rulesOf(input: IngressInput, settings: IngressSettings) {
  const rules: Rule[] = [];
  const tagHosts: [string, string[]][] = [];
  for (const tag of input.traffic.byTag.keys()) {
    const local = localHost(input.route, tag, settings);
    const paths = pathsOf(input, tag, settings);
    rules.push({ hosts: expandedHosts(local, settings.clusterDomain), http: { paths }, visibility: 'ClusterLocal' });
    const hosts = [local];
    if (input.visibility(tag) === 'ExternalIP') {
      const host = externalHost(input.route, tag, settings);
      rules.push({ hosts: [host], http: { paths }, visibility: 'ExternalIP' });
      hosts.push(host);
    }
    if (tag !== '') tagHosts.push([tag, hosts]);
  }
  return { rules, tagHosts };
}

/** With header-based routing the Route's own host leads to a tag when the request names one that exists. */
function pathsOf(input: IngressInput, tag: string, { features }: IngressSettings): Path[] {
  const base: Path = { splits: splitsOf(input, tag) };
  if (features.tagHeaderBasedRouting !== 'Enabled') return [base];
  if (tag !== '') return [{ ...base, appendHeaders: { [TAG_HEADER]: tag } }];
  const tags = [...input.traffic.byTag.keys()].filter((one) => one !== '');
  const tagged = tags.map((one): Path => ({ headers: { [TAG_HEADER]: { exact: one } }, splits: splitsOf(input, one) }));
  return [...tagged, { ...base, appendHeaders: { [DEFAULT_ROUTE_HEADER]: 'true' } }];
}

function splitsOf({ route, traffic, rollout }: IngressInput, tag: string): Split[] {
  const targets = traffic.byTag.get(tag) ?? [];
  return targets
    .filter(({ percent }) => percent !== 0)
    .flatMap((target) => {
      const state = target.latestRevision ? rolloutOf(rollout, tag, target.configurationName) : undefined;
      const moving = state?.revisions && state.revisions.length > 1 ? state.revisions : undefined;
      const shares = moving ?? [{ revisionName: target.revisionName, percent: target.percent }];
      return shares.map((share) => splitTo(share.revisionName, { percent: share.percent, target, route }));
    });
}

interface SplitOptions {
  readonly percent: number;
  readonly target: RevisionTarget;
  readonly route: Route;
}

function splitTo(revisionName: string, { percent, target, route }: SplitOptions): Split {
  const namespace = namespaceOf(route);
  return {
    serviceNamespace: namespace,
    serviceName: revisionName,
    servicePort: PUBLIC_PORTS[target.protocol],
    percent,
    appendHeaders: { [NAMESPACE_HEADER]: namespace, [REVISION_HEADER]: revisionName },
  };
}
