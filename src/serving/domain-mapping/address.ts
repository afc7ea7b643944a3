/**
 * Resolves a reference to an address: a Kubernetes Service by its name in the cluster, anything else by what its status
 * says under `address.url`.
 */
import { isObject } from '#base/json.ts';
import type { Client } from '#client/client.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { KubeObject } from '#kube/object.ts';

export interface Reference {
  readonly apiVersion?: string | undefined;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface AddressEnvironment {
  readonly client: Client;
  readonly clusterDomain: string;
  /** Every kind that may be referred to. */
  readonly kinds: readonly Kind[];
}

/** Answers an error for what cannot be resolved; its text is for the user. */
export async function resolveAddress(reference: Reference, environment: AddressEnvironment): Promise<URL | Error> {
  const { apiVersion, kind: kindName, namespace, name } = reference;
  const kind = environment.kinds.find((one) => isKindOf(reference, one));
  const what = `${namespace}/${name}`;
  if (!kind)
    return new Error(`failed to get object ${what}: no kind "${kindName}" is registered for version "${apiVersion}"`);
  let object: KubeObject;
  try {
    object = await environment.client.get(kind, { namespace, name });
  } catch (error) {
    return new Error(`failed to get object ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (kind.kind === Service.kind && kind.group === Service.group) {
    return new URL(`http://${name}.${namespace}.svc.${environment.clusterDomain}`);
  }
  const url = addressUrl(object);
  if (url === undefined) return new Error(`address not set for ${kindName} ${what}`);
  return URL.canParse(url) ? new URL(url) : new Error(`address of ${kindName} ${what} is no URL: "${url}"`);
}

export function isKindOf({ apiVersion, kind: name }: Pick<Reference, 'apiVersion' | 'kind'>, kind: Kind): boolean {
  return kind.kind === name && apiVersionOf(kind) === apiVersion;
}

function addressUrl(object: KubeObject): string | undefined {
  const { status } = object as KubeObject & { status?: unknown };
  const address = isObject(status) ? status['address'] : undefined;
  const url = isObject(address) ? address['url'] : undefined;
  return typeof url === 'string' && url !== '' ? url : undefined;
}
