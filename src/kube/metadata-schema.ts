/** The schema of `metadata`, the same for every kind. */
import {
  boolean,
  documented,
  embedded,
  int64,
  list,
  listMap,
  map,
  object,
  pointer,
  required,
  type Schema,
  set,
  string,
  time,
} from '#kube/schema.ts';
import type { ObjectMeta } from '#kube/object.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

const ownerReference = object(
  {
    apiVersion: required(string('API version of the owner.')),
    kind: required(string('Kind of the owner.')),
    name: required(string('Name of the owner.')),
    uid: required(string('UID of the owner.')),
    controller: pointer(boolean('True on the one reference to the controller that manages the object.')),
    blockOwnerDeletion: pointer(boolean('Keeps the owner, in a foreground deletion, until this object is gone.')),
  },
  {
    name: `${META}.OwnerReference`,
    doc: 'An object that this one belongs to, in the same namespace or cluster-scoped.',
    atomic: true,
  },
);

const fieldsV1 = object({}, { name: `${META}.FieldsV1`, doc: 'A set of fields.', preserveUnknown: true });

const managedFieldsEntry = object(
  {
    manager: string('Name of the writer.'),
    operation: string('Apply or Update.'),
    apiVersion: string('Version in which the fields are named.'),
    time: time('When the entry last changed.'),
    fieldsType: string('Always FieldsV1.'),
    fieldsV1: documented(fieldsV1, 'The set of owned fields.'),
    subresource: string('The subresource that was written through, if one was.'),
  },
  { name: `${META}.ManagedFieldsEntry`, doc: 'Which fields one writer set.' },
);

const properties = {
  name: string('Name, unique in its namespace for its kind. It cannot be changed.'),
  generateName: string('Prefix from which the server makes a unique name when `name` is empty.'),
  namespace: string('The space within which the name is unique.'),
  selfLink: string('No longer filled in.'),
  uid: string('Identity in time and space, given by the server.'),
  resourceVersion: string('Opaque version of the object, for optimistic concurrency and watches.'),
  generation: int64('Counts the changes of the desired state.'),
  creationTimestamp: embedded(time('When the server created the object.')),
  deletionTimestamp: time('When the object will be gone; set by the server when a deletion was asked for.'),
  deletionGracePeriodSeconds: pointer(
    int64('Seconds that the object may take to end, once its deletion was asked for.'),
  ),
  labels: map(string(), 'Keys and values by which objects are grouped and selected.'),
  annotations: map(string(), 'Keys and values for tools; nothing is selected by them.'),
  ownerReferences: listMap(ownerReference, { keys: ['uid'] }, 'The objects that this one belongs to.'),
  finalizers: set(string(), 'Must be empty before the object is removed.'),
  managedFields: list(managedFieldsEntry, 'Which writer set which fields.'),
};

/** `metadata` of an object of its own. */
export const metadataSchema: Schema<ObjectMeta> = object(properties, {
  name: `${META}.ObjectMeta`,
  doc: 'Standard metadata of the object.',
});

/** `metadata` inside a template: the same members. */
export const templateMetadataSchema: Schema<ObjectMeta> = documented(
  metadataSchema,
  'Metadata of what is made from the template.',
);
