/** What access reviews ask about: an action on a resource or on a path. */
import { labelSelectorRequirementSchema } from '#kube/kinds/meta/label-selector.ts';
import { documented, type Infer, list, object, required, string } from '#kube/schema.ts';

const fieldRequirementSchema = object(
  {
    key: required(string('The field.')),
    operator: required(string('In, NotIn, Exists or DoesNotExist.')),
    values: list(string(), 'The values that In and NotIn mean.'),
  },
  { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement', doc: 'What must hold of one field.' },
);

const fieldSelectorSchema = object(
  {
    rawSelector: string('The selector as text; may be ignored.'),
    requirements: list(fieldRequirementSchema, 'What must hold, all of it.'),
  },
  { name: 'io.k8s.api.authorization.v1.FieldSelectorAttributes', doc: 'A limit by fields.' },
);

const labelSelectorSchema = object(
  {
    rawSelector: string('The selector as text; may be ignored.'),
    requirements: list(labelSelectorRequirementSchema, 'What must hold, all of it.'),
  },
  { name: 'io.k8s.api.authorization.v1.LabelSelectorAttributes', doc: 'A limit by labels.' },
);

const resourceAttributesSchema = object(
  {
    namespace: string('Namespace of the action; empty for the whole cluster.'),
    verb: string('What is to be done: get, list, create and so on; * for everything.'),
    group: string('Group of the resource; * for all.'),
    version: string('Version of the resource; * for all.'),
    resource: string('The resource; * for all.'),
    subresource: string('The part of the resource; none when empty.'),
    name: string('Name of the object; all when empty.'),
    fieldSelector: documented(
      fieldSelectorSchema,
      'Which objects by their fields, for list, watch and deletecollection.',
    ),
    labelSelector: documented(labelSelectorSchema, 'Which objects by their labels, for the same.'),
  },
  { name: 'io.k8s.api.authorization.v1.ResourceAttributes', doc: 'An action on resources.' },
);
export type ReviewedResource = Infer<typeof resourceAttributesSchema>;

const nonResourceAttributesSchema = object(
  { path: string('The path of the request.'), verb: string('The HTTP method, in small letters.') },
  { name: 'io.k8s.api.authorization.v1.NonResourceAttributes', doc: 'An action on a path.' },
);
export type ReviewedPath = Infer<typeof nonResourceAttributesSchema>;

/** One of the two is to be given. */
export const actionProperties = {
  resourceAttributes: documented(resourceAttributesSchema, 'The action, if it is one on resources.'),
  nonResourceAttributes: documented(nonResourceAttributesSchema, 'The action, if it is one on a path.'),
} as const;
