/** The fields that the gateway reads, sets or takes away, beside those of HTTP itself. */
import { FieldNames, FIRST_EXTRA_ID } from '#dataplane/proxy/fields.ts';

const NAMES = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
  'user-agent',
  'k-network-probe',
  'k-network-hash',
  'k-kubelet-probe',
  'k-original-host',
  'k-proxy-request',
  'knative-serving-revision',
  'knative-serving-namespace',
  'knative-serving-tag',
  'knative-serving-default-route',
  'pinnace-timing',
] as const;

const idOf = (name: (typeof NAMES)[number]) => FIRST_EXTRA_ID + NAMES.indexOf(name);

export const NAME = {
  xForwardedFor: idOf('x-forwarded-for'),
  xForwardedProto: idOf('x-forwarded-proto'),
  xForwardedHost: idOf('x-forwarded-host'),
  forwarded: idOf('forwarded'),
  userAgent: idOf('user-agent'),
  networkProbe: idOf('k-network-probe'),
  networkHash: idOf('k-network-hash'),
  kubeletProbe: idOf('k-kubelet-probe'),
  originalHost: idOf('k-original-host'),
  proxyRequest: idOf('k-proxy-request'),
  servingRevision: idOf('knative-serving-revision'),
  servingNamespace: idOf('knative-serving-namespace'),
  servingTag: idOf('knative-serving-tag'),
  defaultRoute: idOf('knative-serving-default-route'),
  timing: idOf('pinnace-timing'),
} as const;

export const FIELD_NAMES = new FieldNames(NAMES);
