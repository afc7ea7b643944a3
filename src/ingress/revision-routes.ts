/**
 * The hosts of revisions themselves. Inside the cluster `REVISION.NAMESPACE[.svc[.CLUSTER-DOMAIN]]` leads to one
 * revision, in Knative by way of the activator; its public Service leads to the gateway here, which must know the host.
 */
import type { Service } from '#kube/kinds/core/service.ts';
import { keyOf, labelsOf, nameOf, namespaceOf } from '#kube/object.ts';
import { REVISION_LABEL, SERVICE_TYPE_LABEL, SKS_LABEL } from '#knative/labels.ts';
import { type CompiledRoutes, targetKey } from '#ingress/compile-routes.ts';

const PREFIX = 'revision:';

/** Told apart from an Ingress' key by the colon, which no name has. */
export function revisionRoutesKey(service: Service): string {
  return `${PREFIX}${keyOf(service)}`;
}

/** The Service of such a key; undefined for an Ingress' key. */
export function serviceOfRoutesKey(key: string): string | undefined {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
}

export function isRevisionService(service: Service): boolean {
  const labels = labelsOf(service);
  return labels[SERVICE_TYPE_LABEL] === 'Public' && Boolean(labels[SKS_LABEL] && labels[REVISION_LABEL]);
}

export function compileRevisionRoutes(service: Service, clusterDomain: string): CompiledRoutes {
  const name = nameOf(service);
  const namespace = namespaceOf(service);
  const port = service.spec.ports?.find(({ name: portName }) => portName !== 'https')?.port ?? 80;
  const target = targetKey(namespace, name, port);
  const hosts = [`${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.${clusterDomain}`];
  const splits = [{ target, percent: 100, appendHeaders: {} }];
  const paths = [{ prefix: '', headers: {}, appendHeaders: {}, splits }];
  const rules = [{ hosts, visibility: 'local' as const, paths }];
  return {
    routes: { key: revisionRoutesKey(service), hash: '', httpOption: 'enabled', rules },
    hosts: new Set(hosts),
    targets: new Set([target]),
  };
}
