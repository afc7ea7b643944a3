/** What a CustomResourceDefinition says about its kind. */
import {
  any,
  boolean,
  bytes,
  documented,
  embedded,
  int32,
  list,
  listMap,
  object,
  pointer,
  refine,
  required,
  string,
  time,
} from '#kube/schema.ts';

/** A strategic merge replaces these lists whole. */
const NOT_STRATEGIC = { patchMergeKey: undefined, patchStrategy: undefined };

const serviceReferenceSchema = object(
  {
    namespace: required(string('Namespace of the service.')),
    name: required(string('Name of the service.')),
    path: pointer(string('Path of the request.')),
    port: pointer(int32('Port of the service; 443 by default.')),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference',
    doc: 'A service in the cluster.',
  },
);

const webhookClientConfigSchema = object(
  {
    url: pointer(string('Where it is, when it is not a service.')),
    service: documented(serviceReferenceSchema, 'Service behind which it is.'),
    caBundle: bytes('Certificates that its own must chain to.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig',
    doc: 'How to call a webhook.',
  },
);

const webhookConversionSchema = object(
  {
    clientConfig: documented(webhookClientConfigSchema, 'How to call it.'),
    conversionReviewVersions: required(list(string(), 'Versions of the review that it understands, best first.')),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion',
    doc: 'A webhook that converts between versions.',
  },
);

const customResourceConversionSchema = object(
  {
    strategy: required(string('None only changes apiVersion; Webhook asks a webhook.')),
    webhook: documented(webhookConversionSchema, 'The webhook.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion',
    doc: 'How objects change from one version to another.',
  },
);

const customResourceDefinitionNamesSchema = object(
  {
    plural: required(string('Plural, as in the URL.')),
    singular: string('Singular, for people.'),
    shortNames: list(string(), 'Short names, for people.'),
    kind: required(string('Kind, in CamelCase.')),
    listKind: string('Kind of lists.'),
    categories: list(string(), 'Groups of resources, such as all, that it belongs to.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames',
    doc: 'Names of the kind.',
  },
);

const customResourceColumnDefinitionSchema = object(
  {
    name: required(string('Heading.')),
    type: required(string('Type of the values.')),
    format: string('Format of the values.'),
    description: string('What the column shows.'),
    priority: int32('0 for columns that are always shown.'),
    jsonPath: required(string('Where the value is.')),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition',
    doc: 'A column of kubectl get.',
  },
);

const selectableFieldSchema = object(
  {
    jsonPath: required(string('Where the field is.')),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField',
    doc: 'A field that field selectors may use.',
  },
);

const customResourceSubresourceStatusSchema = object(
  {},
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus',
    doc: 'The status subresource, which has no settings.',
  },
);

const customResourceSubresourceScaleSchema = object(
  {
    specReplicasPath: required(string('Where the wanted number is.')),
    statusReplicasPath: required(string('Where the present number is.')),
    labelSelectorPath: pointer(string('Where the selector is.')),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale',
    doc: 'The scale subresource.',
  },
);

const customResourceSubresourcesSchema = object(
  {
    status: documented(customResourceSubresourceStatusSchema, 'The status subresource.'),
    scale: documented(customResourceSubresourceScaleSchema, 'The scale subresource.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources',
    doc: 'Subresources of the kind.',
  },
);

const customResourceValidationSchema = object(
  {
    openAPIV3Schema: any("The schema, in OpenAPI's words."),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation',
    doc: 'Schema of a version.',
  },
);

const customResourceDefinitionVersionSchema = object(
  {
    name: required(string('Name of the version, such as v1.')),
    served: required(boolean('Whether the version is served.')),
    storage: required(boolean('Whether objects are stored in the version.')),
    deprecated: boolean('Whether clients are warned.'),
    deprecationWarning: pointer(string('The warning, instead of a made one.')),
    schema: documented(customResourceValidationSchema, 'Schema of the objects.'),
    subresources: documented(customResourceSubresourcesSchema, 'Subresources of the version.'),
    additionalPrinterColumns: list(customResourceColumnDefinitionSchema, 'Columns of kubectl get.'),
    selectableFields: list(selectableFieldSchema, 'Fields that field selectors may use.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion',
    doc: 'One version of the kind.',
  },
);

export const customResourceDefinitionSpecSchema = object(
  {
    group: required(string('Group of the kind.')),
    names: required(documented(customResourceDefinitionNamesSchema, 'Names of the kind.')),
    scope: required(string('Cluster or Namespaced.')),
    versions: required(list(customResourceDefinitionVersionSchema, 'Versions of the kind.')),
    conversion: documented(customResourceConversionSchema, 'How objects change between versions.'),
    preserveUnknownFields: boolean('Keeps fields that no schema has; must be false.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec',
    doc: 'The kind that is defined.',
  },
);

const customResourceDefinitionConditionSchema = object(
  {
    type: required(string('Aspect, such as Established.')),
    status: required(string('True, False or Unknown.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition',
    doc: "One aspect of the definition's state.",
  },
);

export const customResourceDefinitionStatusSchema = object(
  {
    conditions: embedded(
      refine(
        listMap(customResourceDefinitionConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
        NOT_STRATEGIC,
      ),
    ),
    acceptedNames: embedded(documented(customResourceDefinitionNamesSchema, 'Names that are in use.')),
    storedVersions: embedded(list(string(), 'Versions in which objects were ever stored.')),
  },
  {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus',
    doc: 'What is known of the definition.',
  },
);
