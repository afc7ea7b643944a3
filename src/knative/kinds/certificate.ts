import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { intOrString, list, object, required, string, time } from '#kube/schema.ts';
import { commonStatus, supplied } from '#knative/kinds/fields.ts';

const challenge = object({
  url: string('Where the certificate authority will ask.'),
  serviceName: string('The Service that answers.'),
  serviceNamespace: string('Its namespace.'),
  servicePort: intOrString('Its port.'),
});

export const Certificate = defineKind({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'Certificate',
  plural: 'certificates',
  shortNames: ['kcert'],
  categories: ['knative-internal', 'networking'],
  doc: 'Asks for a TLS certificate in a Secret.',
  properties: {
    spec: supplied(
      object({
        dnsNames: required(list(string(), 'The names that it is for.')),
        domain: string('The domain that the names are below.'),
        secretName: required(string('The Secret to write.')),
      }),
    ),
    status: object({
      ...commonStatus,
      notAfter: time('When it expires.'),
      http01Challenges: list(challenge, 'What is being proven to the authority.'),
    }),
  },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
  ],
  isCustom: true,
});
export type Certificate = ObjectOf<typeof Certificate>;
