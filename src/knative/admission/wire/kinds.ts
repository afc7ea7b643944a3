/** The specs of Knative's kinds as Go writes them. */
import { podSpecFields } from '#knative/admission/wire/pod.ts';
import {
  always,
  anything,
  embedded,
  int,
  int32,
  int64,
  intOrString,
  list,
  map,
  pointer,
  struct,
  text,
  texts,
  time,
  truth,
} from '#knative/admission/wire/shape.ts';

const templateMetadata = struct('ObjectMeta', {
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: int64,
  creationTimestamp: always(time),
  deletionTimestamp: pointer(time),
  deletionGracePeriodSeconds: pointer(int64),
  labels: texts,
  annotations: texts,
  ownerReferences: list(anything),
  finalizers: list(text),
  managedFields: list(anything),
});

export const revisionSpec = struct('RevisionSpec', {
  ...podSpecFields,
  containerConcurrency: pointer(int64),
  timeoutSeconds: pointer(int64),
  responseStartTimeoutSeconds: pointer(int64),
  idleTimeoutSeconds: pointer(int64),
});

export const revisionTemplate = struct('RevisionTemplateSpec', {
  metadata: always(templateMetadata),
  spec: always(revisionSpec),
});

const trafficTarget = struct('TrafficTarget', {
  tag: text,
  revisionName: text,
  configurationName: text,
  latestRevision: pointer(truth),
  percent: pointer(int64),
  url: pointer(text),
});

const template = { template: always(revisionTemplate) };
const traffic = { traffic: list(trafficTarget) };

export const serviceSpec = struct('ServiceSpec', {
  ...embedded('ConfigurationSpec', template),
  ...embedded('RouteSpec', traffic),
});
export const configurationSpec = struct('ConfigurationSpec', template);
export const routeSpec = struct('RouteSpec', traffic);

export const domainMappingSpec = struct('DomainMappingSpec', {
  ref: always(
    struct('KReference', {
      kind: always(text),
      namespace: text,
      name: always(text),
      apiVersion: text,
      group: text,
      address: pointer(text),
    }),
  ),
  tls: struct('SecretTLS', { secretName: always(text) }),
});

const objectReference = struct('ObjectReference', {
  kind: text,
  namespace: text,
  name: text,
  uid: text,
  apiVersion: text,
  resourceVersion: text,
  fieldPath: text,
});

export const podAutoscalerSpec = struct('PodAutoscalerSpec', {
  containerConcurrency: int64,
  scaleTargetRef: always(objectReference),
  reachability: text,
  protocolType: always(text),
});

export const metricSpec = struct('MetricSpec', {
  stableWindow: always(int64),
  panicWindow: always(int64),
  scrapeTarget: always(text),
});

const split = struct('IngressBackendSplit', {
  ...embedded('IngressBackend', {
    serviceNamespace: always(text),
    serviceName: always(text),
    servicePort: always(intOrString),
  }),
  percent: int,
  appendHeaders: texts,
});

const path = struct('HTTPIngressPath', {
  path: text,
  rewriteHost: text,
  splits: always(list(split)),
  appendHeaders: texts,
  headers: map(struct('HeaderMatch', { exact: always(text) })),
});

export const ingressSpec = struct('IngressSpec', {
  httpOption: text,
  tls: list(struct('IngressTLS', { hosts: list(text), secretName: text, secretNamespace: text })),
  rules: list(
    struct('IngressRule', {
      hosts: list(text),
      http: struct('HTTPIngressRuleValue', { paths: always(list(path)) }),
      visibility: text,
    }),
  ),
});

export const serverlessServiceSpec = struct('ServerlessServiceSpec', {
  mode: text,
  objectRef: always(objectReference),
  protocolType: always(text),
  numActivators: int32,
});

export const certificateSpec = struct('CertificateSpec', {
  dnsNames: always(list(text)),
  domain: text,
  secretName: always(text),
});
