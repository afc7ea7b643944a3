/** What plain HTTP gets, by annotation or config-network. Pure. */
import { annotationsOf, type KubeObject } from '#kube/object.ts';
import type { HttpProtocol, NetworkConfig } from '#knative/config/network.ts';
import { HTTP_PROTOCOL_KEYS, valueByKeys } from '#knative/labels.ts';

export type HttpOption = '' | 'Enabled' | 'Redirected';

const OPTIONS: Readonly<Record<HttpProtocol, HttpOption>> = {
  enabled: 'Enabled',
  redirected: 'Redirected',
  disabled: '',
};

/** Throws for an annotation that says neither `enabled` nor `redirected`. */
export function httpOptionOf(object: KubeObject, { httpProtocol }: NetworkConfig): HttpOption {
  const text = valueByKeys(annotationsOf(object), HTTP_PROTOCOL_KEYS) ?? '';
  switch (text.toLowerCase()) {
    case '':
      return OPTIONS[httpProtocol];
    case 'enabled':
      return 'Enabled';
    case 'redirected':
      return 'Redirected';
    default:
      throw new Error(`incorrect http-protocol annotation: ${text}`);
  }
}
