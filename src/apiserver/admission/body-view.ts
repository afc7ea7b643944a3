/** How webhooks see the creation of a subresource that is an action: they see its body, and cannot change it. */
import { isObject } from '#base/json.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import type { WebhookView } from '#apiserver/admission/chain.ts';
import type { SentBody } from '#apiserver/decode.ts';
import type { KindName } from '#apiserver/resources.ts';

export function bodyView(subresource: string, kind: KindName, { value }: SentBody): WebhookView {
  const members = isObject(value) ? value : {};
  const metadata = isObject(members['metadata']) ? members['metadata'] : {};
  const body: KubeObject = { ...members, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
  return { operation: 'CREATE', subresource, kind, show: () => body };
}
