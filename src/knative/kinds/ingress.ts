import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { boolean, int64, intOrString, list, map, object, oneOf, required, string } from '#kube/schema.ts';
import { commonStatus, readyColumns, supplied } from '#knative/kinds/fields.ts';

const appendHeaders = map(string(), 'Headers that are added to the request.');

const split = object({
  serviceNamespace: required(string('Namespace of the Service: that of the Ingress.')),
  serviceName: required(string('The Service that gets the share.')),
  servicePort: required(intOrString('Its port.')),
  percent: int64('The share; all shares of a path make 100. Absent for 0.'),
  appendHeaders,
});

const path = object({
  path: string('Beginning of the paths that it is for; empty for all.'),
  rewriteHost: string('Host that the request is sent on with.'),
  headers: map(object({ exact: required(string('The value.')) }), 'Headers that the request must have.'),
  appendHeaders,
  splits: required(list(split, 'Where the requests go.')),
});

const rule = object({
  hosts: list(string(), 'The hosts that it is for.'),
  visibility: oneOf(['ExternalIP', 'ClusterLocal'], 'Whether the world or only pods reach it.'),
  http: object({ paths: required(list(path, 'Tried in order; the most particular first.')) }, { doc: 'Paths.' }),
});

const tls = object({
  hosts: list(string(), 'The hosts that the certificate is for.'),
  secretName: string('The Secret with the certificate.'),
  secretNamespace: string('Its namespace.'),
});

const loadBalancer = object({
  ingress: list(
    object({
      ip: string('Its address.'),
      domain: string('Its name in the world.'),
      domainInternal: string('Its name inside.'),
      meshOnly: boolean('True when only a service mesh gets there.'),
    }),
    'Ways to the load balancer.',
  ),
});

export const Ingress = defineKind({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['kingress', 'king'],
  categories: ['knative-internal', 'networking'],
  doc: 'What a gateway needs to know to carry out a Route.',
  properties: {
    spec: supplied(
      object({
        rules: list(rule, 'Hosts and where they lead.'),
        tls: list(tls, 'Certificates.'),
        httpOption: oneOf(['', 'Enabled', 'Redirected'], 'Whether plain HTTP is answered or redirected.'),
      }),
    ),
    status: object({ ...commonStatus, publicLoadBalancer: loadBalancer, privateLoadBalancer: loadBalancer }),
  },
  columns: readyColumns,
  isCustom: true,
});
export type Ingress = ObjectOf<typeof Ingress>;
