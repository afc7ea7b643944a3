import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { int32, object, oneOf, required, string } from '#kube/schema.ts';
import { commonStatus, readyColumns, supplied } from '#knative/kinds/fields.ts';

const objectReference = object(
  {
    apiVersion: string('API version.'),
    kind: string('Kind.'),
    name: string('Name.'),
    namespace: string('Namespace.'),
    uid: string('UID.'),
    resourceVersion: string('Version.'),
    fieldPath: string('A part of the object.'),
  },
  { doc: 'Whose pods are served.', atomic: true },
);

export const ServerlessService = defineKind({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'ServerlessService',
  plural: 'serverlessservices',
  shortNames: ['sks'],
  categories: ['knative-internal', 'networking'],
  doc: 'A Service that leads to the pods of a revision, or to the activator while there are none.',
  properties: {
    spec: supplied(
      object({
        mode: oneOf(['Serve', 'Proxy'], 'Whether requests go to the pods or by way of the activator.'),
        objectRef: required(objectReference),
        protocolType: required(string('http1 or h2c.')),
        numActivators: int32('How many activators are in the way in Proxy mode; 0 means all.'),
      }),
    ),
    status: object({
      ...commonStatus,
      serviceName: string('The Service that leads to pods or activators.'),
      privateServiceName: string('The Service that always leads to the pods.'),
    }),
  },
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Activators', type: 'integer', jsonPath: '.spec.numActivators' },
    { name: 'ServiceName', type: 'string', jsonPath: '.status.serviceName' },
    { name: 'PrivateServiceName', type: 'string', jsonPath: '.status.privateServiceName' },
    ...readyColumns,
  ],
  isCustom: true,
});
export type ServerlessService = ObjectOf<typeof ServerlessService>;
