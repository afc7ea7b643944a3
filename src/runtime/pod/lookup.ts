/** Objects that pods refer to, asked of the API when they are needed; nothing of a Secret is kept. */
import type { Cache } from '#client/cache.ts';
import type { Client } from '#client/client.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { entriesOfSecret } from '#runtime/image/credentials.ts';
import type { PodLookup } from '#runtime/pod/agent-environment.ts';

export function podLookup(client: Client, services: Cache<Service>, namespace: string): PodLookup {
  const secretOf = (name: string) => client.find(Secret, { namespace, name });
  return {
    configMap: async (name) => {
      const found = await client.find(ConfigMap, { namespace, name });
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
    token: async (serviceAccount, { audience, expirationSeconds }) => {
      const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds };
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
      const answer = await client.createSubresource(
        ServiceAccount,
        { namespace, name: serviceAccount },
        { subresource: 'token', body },
      );
      return (answer as unknown as { status?: { token?: string } }).status?.token ?? '';
    },
  };
}
