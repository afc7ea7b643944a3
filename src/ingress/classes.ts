/** Which Ingress objects are this gateway's, and by what names it is known in the cluster. */
import { annotationsOf } from '#kube/object.ts';
import type { Ingress } from '#knative/kinds/ingress.ts';
import { INGRESS_CLASS_KEYS, valueByKeys } from '#knative/labels.ts';

/** Kourier's class too: guides, charts and tests name it. */
const OUR_CLASSES: ReadonlySet<string> = new Set([
  'kourier.ingress.networking.knative.dev',
  'pinnace.ingress.networking.knative.dev',
]);

/** By its class; one without a class is ours when the cluster's default class is. */
export function isOurs(ingress: Ingress, defaultClass: string): boolean {
  return OUR_CLASSES.has(valueByKeys(annotationsOf(ingress), INGRESS_CLASS_KEYS) || defaultClass);
}

const GATEWAY_NAMESPACE = 'kourier-system';

/** Hosts of the gateway's own Services: `external` is for the world, `internal` for pods. */
export function gatewayHosts(clusterDomain: string): { readonly external: string; readonly internal: string } {
  return {
    external: `kourier.${GATEWAY_NAMESPACE}.svc.${clusterDomain}`,
    internal: `kourier-internal.${GATEWAY_NAMESPACE}.svc.${clusterDomain}`,
  };
}
