/** References from one object to another. */
import { nullPointer, object, pointer, refine, required, string } from '#kube/schema.ts';

export const localObjectReferenceSchema = object(
  {
    name: refine(string('Name of the object.'), { default: '' }),
  },
  { name: 'io.k8s.api.core.v1.LocalObjectReference', doc: 'An object in the same namespace, by name.', atomic: true },
);

export const objectReferenceSchema = object(
  {
    kind: string('Kind of the object.'),
    namespace: string('Namespace of the object.'),
    name: string('Name of the object.'),
    uid: string('UID of the object.'),
    apiVersion: string('API version of the object.'),
    resourceVersion: string('Version of the object that is meant.'),
    fieldPath: string('The part that is meant, such as spec.containers{app}.'),
  },
  { name: 'io.k8s.api.core.v1.ObjectReference', doc: 'Any object, or a part of one.', atomic: true },
);

export const typedLocalObjectReferenceSchema = object(
  {
    apiGroup: nullPointer(string('Group of the object; absent for the core group.')),
    kind: required(string('Kind of the object.')),
    name: required(string('Name of the object.')),
  },
  {
    name: 'io.k8s.api.core.v1.TypedLocalObjectReference',
    doc: 'An object in the same namespace, by group, kind and name.',
    atomic: true,
  },
);

export const typedObjectReferenceSchema = object(
  {
    apiGroup: nullPointer(string('Group of the object; absent for the core group.')),
    kind: required(string('Kind of the object.')),
    name: required(string('Name of the object.')),
    namespace: pointer(string('Namespace of the object, when it is another one.')),
  },
  {
    name: 'io.k8s.api.core.v1.TypedObjectReference',
    doc: 'An object by group, kind, name and, where allowed, namespace.',
  },
);
