/** Objects that pods refer to, asked of the API when they are needed; nothing of a Secret is kept. */
import type { Cache } from '#client/cache.ts';
import type { Client } from '#client/client.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { TokenRequest } from '#kube/kinds/authentication/token-request.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { nameOf, namespaceOf, uidOf } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import { entriesOfSecret } from '#runtime/image/credentials.ts';
import type { PodLookup } from '#runtime/pod/agent-environment.ts';
import type { IssuedToken, WantedToken } from '#runtime/volumes/pod-tokens.ts';

export interface LookupSources {
  readonly client: Client;
  readonly services: Cache<Service>;
  /** The ConfigMaps that nearly every pod shows: the authority of the API server's certificate. */
  readonly authorities: Cache<ConfigMap>;
}

export function podLookup({ client, services, authorities }: LookupSources, namespace: string): PodLookup {
  const secretOf = (name: string) => client.find(Secret, { namespace, name });
  return {
    configMap: async (name) => {
      const ref = { namespace, name };
      const found = authorities.get(ref) ?? (await client.find(ConfigMap, ref));
      if (!found) return undefined;
      const binary = Object.entries(found.binaryData ?? {}).map(([key, text]) => [
        key,
        Buffer.from(text, 'base64').toString('utf8'),
      ]);
      return { ...Object.fromEntries(binary), ...found.data };
    },
    secret: async (name) => {
      const found = await secretOf(name);
      if (!found) return undefined;
      return Object.fromEntries(
        Object.entries(found.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')]),
      );
    },
    services: () => services.list(),
    pullCredentials: async (names) => {
      const secrets = await Promise.all(names.map(secretOf));
      return secrets.flatMap((secret) =>
        secret ? entriesOfSecret({ type: secret.type ?? '', data: secret.data ?? {} }) : [],
      );
    },
    token: (pod, wanted) => requestToken(client, pod, wanted),
  };
}

async function requestToken(
  client: Client,
  pod: Pod,
  { audience, expirationSeconds }: WantedToken,
): Promise<IssuedToken> {
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: nameOf(pod), uid: uidOf(pod) };
  const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds, boundObjectRef };
  const account = { namespace: namespaceOf(pod), name: pod.spec.serviceAccountName ?? '' };
  const body = typed(TokenRequest, { metadata: {}, spec });
  const answer = await client.createSubresource(ServiceAccount, account, { subresource: 'token', body });
  const { status } = answer as TokenRequest;
  return { token: status?.token ?? '', expiresAt: parseTime(status?.expirationTimestamp) ?? 0 };
}
