/** An API server in this process, a client that is nobody special, and webhooks of the test's own. */
import assert from 'node:assert/strict';
import { Client } from '#client/client.ts';
import { InProcessTransport } from '#apiserver/in-process.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { MutatingWebhookConfiguration } from '#kube/kinds/admissionregistration/mutating-webhook-configuration.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { StatusError } from '#kube/status.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { WebhookServer, type WebhookServerOptions } from '#testing/webhook-server.ts';

export const namespace = 'default';

export interface WebhookWorld extends AsyncDisposable {
  readonly api: HttpsApi;
  readonly client: Client;
  /** What the client was told beside the answers. */
  readonly warnings: string[];
  hook(options?: WebhookServerOptions): Promise<WebhookServer>;
}

export async function startWebhookWorld(): Promise<WebhookWorld> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startHttpsApi({ kinds: builtinKinds }));
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: namespace, labels: { team: 'a' } } }));
  const warnings: string[] = [];
  const user = { name: 'eve', groups: ['makers', 'system:authenticated'] };
  const client = new Client(
    new InProcessTransport(api.api, { user, userAgent: 'test', onWarning: (text) => warnings.push(text) }),
  );
  const owned = stack.move();
  const hook = async (options: WebhookServerOptions = {}) => owned.use(await WebhookServer.start(options));
  return { api, client, warnings, hook, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export const ofConfigMaps = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };

const common = { rules: [ofConfigMaps], sideEffects: 'None', admissionReviewVersions: ['v1'] };

/** Webhooks on ConfigMaps, unless they say otherwise, named `m0.NAME.example.com` and so on. */
export async function mutating({ client }: WebhookWorld, name: string, ...webhooks: object[]): Promise<void> {
  const all = webhooks.map((webhook, position) => ({
    name: `m${position}.${name}.example.com`,
    ...common,
    ...webhook,
  }));
  const body = { metadata: { name }, webhooks: all } as unknown as MutatingWebhookConfiguration;
  await client.create(MutatingWebhookConfiguration, typed(MutatingWebhookConfiguration, body));
}

/** The same, named `v0.NAME.example.com`. */
export async function validating({ client }: WebhookWorld, name: string, ...webhooks: object[]): Promise<void> {
  const all = webhooks.map((webhook, position) => ({
    name: `v${position}.${name}.example.com`,
    ...common,
    ...webhook,
  }));
  const body = { metadata: { name }, webhooks: all } as unknown as ValidatingWebhookConfiguration;
  await client.create(ValidatingWebhookConfiguration, typed(ValidatingWebhookConfiguration, body));
}

export function configMap(name: string, data: Record<string, string> = {}, labels?: Record<string, string>): ConfigMap {
  return typed(ConfigMap, { metadata: { name, namespace, ...(labels ? { labels } : {}) }, data });
}

export async function refusalOf(request: Promise<unknown>): Promise<StatusError> {
  try {
    await request;
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}
