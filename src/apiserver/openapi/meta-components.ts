/** Components of OpenAPI that belong to no kind: lists' metadata, Status, what a delete or a patch may say. */
import { componentName, type Kind, listKindOf } from '#kube/kind.ts';
import type { OpenApiComponents, OpenApiSchema } from '#kube/openapi.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const META_NAMES = {
  status: `${META}.Status`,
  deleteOptions: `${META}.DeleteOptions`,
  patch: `${META}.Patch`,
  listMeta: `${META}.ListMeta`,
  resourceList: `${META}.APIResourceList`,
} as const;

export function reference(name: string): OpenApiSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const text = (description: string): OpenApiSchema => ({ type: 'string', description });
const integer = (description: string, format: 'int32' | 'int64'): OpenApiSchema => ({
  type: 'integer',
  format,
  description,
});

const typeMembers = {
  apiVersion: text('Group and version of the object.'),
  kind: text('Kind of the object.'),
};

const listMeta: OpenApiSchema = {
  description: 'What is known of a list.',
  type: 'object',
  properties: {
    continue: text('Token for the rest of the list; empty at its end.'),
    remainingItemCount: integer('How many objects follow, where the server knows.', 'int64'),
    resourceVersion: text('Version at which the list was true.'),
    selfLink: text('No longer filled in.'),
  },
};

const statusCause: OpenApiSchema = {
  description: 'One reason of several.',
  type: 'object',
  properties: {
    field: text('The member of the object that is meant.'),
    message: text('What is wrong, for people.'),
    reason: text('What is wrong, for programs.'),
  },
};

const statusDetails: OpenApiSchema = {
  description: 'What a Status is about.',
  type: 'object',
  properties: {
    name: text('Name of the object.'),
    group: text('Group of its kind.'),
    kind: text('Its kind or resource.'),
    uid: text('Its UID.'),
    causes: {
      type: 'array',
      items: { default: {}, allOf: [reference(`${META}.StatusCause`)] },
      description: 'Everything that is wrong with it.',
      'x-kubernetes-list-type': 'atomic',
    },
    retryAfterSeconds: integer('When to try again.', 'int32'),
  },
};

const status: OpenApiSchema = {
  description: 'How a request ended, where there is no object to show.',
  type: 'object',
  properties: {
    ...typeMembers,
    metadata: {
      description: 'Nothing, for a Status.',
      default: {},
      allOf: [reference(META_NAMES.listMeta)],
    },
    status: text('Success or Failure.'),
    message: text('What happened, for people.'),
    reason: text('What happened, for programs.'),
    details: {
      description: 'What it is about.',
      allOf: [reference(`${META}.StatusDetails`)],
      'x-kubernetes-list-type': 'atomic',
    },
    code: integer('The HTTP status.', 'int32'),
  },
  'x-kubernetes-group-version-kind': [{ group: '', kind: 'Status', version: 'v1' }],
};

const preconditions: OpenApiSchema = {
  description: 'What must be true for a deletion to happen.',
  type: 'object',
  properties: { uid: text('The UID of the object.'), resourceVersion: text('The version of the object.') },
};

const deleteOptions: OpenApiSchema = {
  description: 'How to delete.',
  type: 'object',
  properties: {
    ...typeMembers,
    dryRun: {
      description: 'All: nothing is deleted, only checked.',
      type: 'array',
      items: { type: 'string', default: '' },
      'x-kubernetes-list-type': 'atomic',
    },
    gracePeriodSeconds: integer('Seconds that the object has to end; 0 ends it at once.', 'int64'),
    orphanDependents: { type: 'boolean', description: 'The older form of propagationPolicy.' },
    preconditions: {
      description: 'What must be true for the deletion to happen.',
      allOf: [reference(`${META}.Preconditions`)],
    },
    propagationPolicy: text('What becomes of dependents: Orphan, Background or Foreground.'),
  },
  'x-kubernetes-group-version-kind': [{ group: '', kind: 'DeleteOptions', version: 'v1' }],
};

export const metaComponents: OpenApiComponents = {
  [META_NAMES.listMeta]: listMeta,
  [META_NAMES.status]: status,
  [`${META}.StatusDetails`]: statusDetails,
  [`${META}.StatusCause`]: statusCause,
  [META_NAMES.deleteOptions]: deleteOptions,
  [`${META}.Preconditions`]: preconditions,
  [META_NAMES.patch]: { description: 'A change to an object, in one of the patch formats.', type: 'object' },
};

export function listName(kind: Kind): string {
  return componentName({ ...kind, kind: listKindOf(kind) });
}

/** The component of a kind's list. */
export function listComponent(kind: Kind): OpenApiSchema {
  const { group, version } = kind;
  return {
    description: `A list of ${kind.kind} objects.`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeMembers,
      items: {
        description: 'The objects.',
        type: 'array',
        items: kind.isCustom
          ? reference(componentName(kind))
          : { default: {}, allOf: [reference(componentName(kind))] },
      },
      metadata: {
        description: 'What is known of the list.',
        ...(kind.isCustom ? {} : { default: {} }),
        allOf: [reference(META_NAMES.listMeta)],
      },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: listKindOf(kind), version }],
  };
}
