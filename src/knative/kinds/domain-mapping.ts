import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { object, required, string } from '#kube/schema.ts';
import {
  addressSchema,
  commonStatus,
  readyColumns,
  SERVING_CATEGORIES,
  supplied,
  urlColumn,
} from '#knative/kinds/fields.ts';

const reference = object(
  {
    apiVersion: string('API version of the target.'),
    kind: required(string('Kind of the target.')),
    name: required(string('Name of the target.')),
    namespace: string('Namespace of the target: that of the mapping.'),
    group: string('May not be used.'),
    address: string('Which of the addresses of the target.'),
  },
  { doc: 'What the domain leads to: a Knative Service or Route, or anything else that has an address.' },
);

export const DomainMapping = defineKind({
  apiVersion: 'serving.knative.dev/v1beta1',
  kind: 'DomainMapping',
  plural: 'domainmappings',
  shortNames: ['dm'],
  categories: SERVING_CATEGORIES,
  doc: 'A domain of your own for a Service; its name is the domain.',
  properties: {
    spec: supplied(
      object({
        ref: required(reference),
        tls: object(
          { secretName: required(string('A Secret of type kubernetes.io/tls.')) },
          { doc: 'Your certificate.' },
        ),
      }),
    ),
    status: object({ ...commonStatus, url: string('Where the domain is reachable.'), address: addressSchema }),
  },
  columns: [urlColumn, ...readyColumns],
  isCustom: true,
});
export type DomainMapping = ObjectOf<typeof DomainMapping>;
