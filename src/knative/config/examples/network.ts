import { type Setting, setting } from '#knative/config/examples/setting.ts';
import {
  DEFAULT_CERTIFICATE_CLASS,
  DEFAULT_DOMAIN_TEMPLATE,
  DEFAULT_INGRESS_CLASS,
  DEFAULT_TAG_TEMPLATE,
} from '#knative/config/network.ts';

export const networkSettings: readonly Setting[] = [
  setting('ingress-class', DEFAULT_INGRESS_CLASS, 'Which gateway carries out Routes that name none.'),
  setting('certificate-class', DEFAULT_CERTIFICATE_CLASS, 'Which controller makes certificates by default.'),
  setting(
    'namespace-wildcard-cert-selector',
    '',
    'Namespaces that get one wildcard certificate for all their Routes, as a label selector in YAML; none when empty.',
  ),
  setting(
    'domain-template',
    DEFAULT_DOMAIN_TEMPLATE,
    'The host of a Route: a Go template over Name, Namespace, Domain, Annotations and Labels. Where names could ' +
      'collide, two Routes get the same host. An annotation that may be missing is read with ' +
      '{{index .Annotations "key"}}.',
  ),
  setting(
    'tag-template',
    DEFAULT_TAG_TEMPLATE,
    'What stands in place of the name in the host of a tagged target: a Go template over Name and Tag.',
  ),
  setting(
    'external-domain-tls',
    'Disabled',
    'Whether Routes get certificates for their public hosts. The older key is auto-tls.',
  ),
  setting('cluster-local-domain-tls', 'Disabled', 'Whether Routes get certificates for their hosts inside.'),
  setting('system-internal-tls', 'Disabled', "Whether traffic among the system's own parts is encrypted."),
  setting(
    'http-protocol',
    'Enabled',
    'What plain HTTP gets once there is a certificate: an answer, or with "Redirected" a redirect to HTTPS.',
  ),
  setting(
    'rollout-duration',
    '0',
    'Seconds over which traffic moves from one revision to the next; 0 for at once. A Service may set its own.',
  ),
  setting(
    'autocreate-cluster-domain-claims',
    'false',
    'Whether a DomainMapping claims its domain by itself. When several tenants share the platform, an administrator ' +
      'should make the ClusterDomainClaims instead.',
  ),
  setting('enable-mesh-pod-addressability', 'false', 'Whether pods are addressed by a header of the service mesh.'),
  setting(
    'mesh-compatibility-mode',
    'auto',
    'Whether pods are reached by their own address ("disabled"), by their Service ("enabled"), or by what works.',
  ),
  setting('default-external-scheme', 'http', 'Scheme of public URLs where there is no certificate.'),
  setting(
    'external-http-port',
    '',
    'Port that public http:// URLs show, set to where the gateway listens; an empty value hides it.',
  ),
  setting('external-https-port', '', 'The same for https:// URLs.'),
];

export const domainSettings: readonly Setting[] = [
  setting(
    'example.com',
    '',
    'An example, not the default: each key is a domain. With an empty value it is that of every Route no other ' +
      'domain is for. Without such a key the domain is localhost, whose names resolve on this machine only.',
  ),
  setting(
    'example.org',
    'selector:\n  app: shop\n',
    'An example: this domain is for Routes with these labels. Of several the one with most labels wins.',
  ),
  setting(
    'svc.cluster.local',
    'selector:\n  app: secret\n',
    'An example: Routes with these labels are reachable from inside only, as with the label ' +
      'networking.knative.dev/visibility: cluster-local.',
  ),
];

export const kourierSettings: readonly Setting[] = [
  setting('enable-service-access-logging', 'true', 'Whether the gateway logs requests.'),
  setting('service-access-log-template', '', "Form of that log, in Envoy's format; empty for the gateway's own."),
  setting('enable-proxy-protocol', 'false', 'Whether connections begin with a PROXY protocol header.'),
  setting('cluster-cert-secret', '', 'Secret with the certificate for hosts inside; empty for none.'),
  setting('stream-idle-timeout', '0s', 'How long a stream may be silent; 0s for ever.'),
  setting('trusted-hops-count', '0', 'How many proxies in front are believed in X-Forwarded-For.'),
  setting('use-remote-address', 'false', "Whether the peer's address is added to X-Forwarded-For."),
  setting('cipher-suites', '', 'Cipher suites for TLS, between commas; empty for a safe choice.'),
  setting('disable-envoy-server-header', 'false', 'Whether the header Server is left as the application set it.'),
  setting('listen-ip-addresses', '0.0.0.0', 'Addresses that Kourier listens on, between commas.'),
  setting('certs-secret-name', '', 'Secret with a certificate for all hosts; empty for none.'),
  setting('certs-secret-namespace', '', 'Namespace of that Secret.'),
];

export const certManagerSettings: readonly Setting[] = [
  setting(
    'issuerRef',
    'kind: ClusterIssuer\nname: knative-selfsigned-issuer\n',
    'Which issuer of cert-manager signs for public hosts.',
  ),
  setting(
    'clusterLocalIssuerRef',
    'kind: ClusterIssuer\nname: knative-selfsigned-issuer\n',
    'Which one signs for hosts inside.',
  ),
  setting(
    'systemInternalIssuerRef',
    'kind: ClusterIssuer\nname: knative-selfsigned-issuer\n',
    "Which one signs for the system's own parts.",
  ),
];
