/** Webhooks that see requests before they are stored. */
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import {
  bytes,
  documented,
  type Infer,
  int32,
  list,
  listMap,
  nullPointer,
  object,
  oneOf,
  pointer,
  required,
  string,
} from '#kube/schema.ts';

const serviceReferenceSchema = object(
  {
    namespace: required(string('Namespace of the service.')),
    name: required(string('Name of the service.')),
    path: pointer(string('Path of the request.')),
    port: pointer(int32('Port of the service; 443 by default.')),
  },
  { name: 'io.k8s.api.admissionregistration.v1.ServiceReference', doc: 'A service in the cluster.' },
);

const webhookClientConfigSchema = object(
  {
    url: pointer(string('Where it is, when it is not a service.')),
    service: documented(serviceReferenceSchema, 'Service behind which it is.'),
    caBundle: bytes('Certificates that its own must chain to.'),
  },
  { name: 'io.k8s.api.admissionregistration.v1.WebhookClientConfig', doc: 'How to call a webhook.' },
);
export type WebhookClientConfig = Infer<typeof webhookClientConfigSchema>;

const ruleWithOperationsSchema = object(
  {
    operations: list(oneOf(['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']), 'Operations; * for all.'),
    apiGroups: list(string(), 'Groups; * for all.'),
    apiVersions: list(string(), 'Versions; * for all.'),
    resources: list(string(), 'Resources and subresources; * for all.'),
    scope: pointer(oneOf(['*', 'Cluster', 'Namespaced'], 'Whether namespaced or cluster-wide objects are meant.')),
  },
  { name: 'io.k8s.api.admissionregistration.v1.RuleWithOperations', doc: 'Requests that a webhook sees.' },
);
export type RuleWithOperations = Infer<typeof ruleWithOperationsSchema>;

const matchConditionSchema = object(
  {
    name: required(string('Name, unique among the conditions.')),
    expression: required(string('Expression in CEL that must be true.')),
  },
  { name: 'io.k8s.api.admissionregistration.v1.MatchCondition', doc: 'A further condition on requests.' },
);
export type MatchCondition = Infer<typeof matchConditionSchema>;

export const validatingWebhookSchema = object(
  {
    name: required(string('Full name of the webhook.')),
    clientConfig: required(documented(webhookClientConfigSchema, 'How to call it.')),
    rules: list(ruleWithOperationsSchema, 'Requests that it sees.'),
    failurePolicy: pointer(oneOf(['Fail', 'Ignore'], 'What a failing call means.')),
    matchPolicy: pointer(oneOf(['Equivalent', 'Exact'], 'Whether rules match equivalent resources.')),
    namespaceSelector: documented(labelSelectorSchema, 'Namespaces whose objects it sees.'),
    objectSelector: documented(labelSelectorSchema, 'Objects that it sees.'),
    sideEffects: required(
      nullPointer(oneOf(['None', 'NoneOnDryRun', 'Some', 'Unknown'], 'Whether a call changes anything elsewhere.')),
    ),
    timeoutSeconds: pointer(int32('Seconds that a call may take; 10 by default.')),
    admissionReviewVersions: required(list(string(), 'Versions of the review that it understands, best first.')),
    matchConditions: listMap(matchConditionSchema, { keys: ['name'] }, 'Further conditions on requests.'),
  },
  { name: 'io.k8s.api.admissionregistration.v1.ValidatingWebhook', doc: 'A webhook that accepts or refuses.' },
);
export type ValidatingWebhook = Infer<typeof validatingWebhookSchema>;

export const mutatingWebhookSchema = object(
  {
    name: required(string('Full name of the webhook.')),
    clientConfig: required(documented(webhookClientConfigSchema, 'How to call it.')),
    rules: list(ruleWithOperationsSchema, 'Requests that it sees.'),
    failurePolicy: pointer(oneOf(['Fail', 'Ignore'], 'What a failing call means.')),
    matchPolicy: pointer(oneOf(['Equivalent', 'Exact'], 'Whether rules match equivalent resources.')),
    namespaceSelector: documented(labelSelectorSchema, 'Namespaces whose objects it sees.'),
    objectSelector: documented(labelSelectorSchema, 'Objects that it sees.'),
    sideEffects: required(
      nullPointer(oneOf(['None', 'NoneOnDryRun', 'Some', 'Unknown'], 'Whether a call changes anything elsewhere.')),
    ),
    timeoutSeconds: pointer(int32('Seconds that a call may take; 10 by default.')),
    admissionReviewVersions: required(list(string(), 'Versions of the review that it understands, best first.')),
    reinvocationPolicy: pointer(oneOf(['IfNeeded', 'Never'], 'Whether it is called again after later changes.')),
    matchConditions: listMap(matchConditionSchema, { keys: ['name'] }, 'Further conditions on requests.'),
  },
  { name: 'io.k8s.api.admissionregistration.v1.MutatingWebhook', doc: 'A webhook that may change objects.' },
);
export type MutatingWebhook = Infer<typeof mutatingWebhookSchema>;
