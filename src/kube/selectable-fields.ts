/**
 * The fields by which objects of a kind can be selected, and their values. Which fields there are, and how an
 * unknown one is refused, differs from kind to kind in Kubernetes; the differences are kept here, once.
 */
import { isObject } from '#base/json.ts';
import type { FieldSelector } from '#kube/field-selectors.ts';
import { type Definition, type Kind, resourceOf } from '#kube/kind.ts';
import { ParseError } from '#kube/parse-error.ts';

/** A selectable field: where its value is, and what an absent value counts as. */
interface Selectable {
  readonly paths: readonly string[];
  readonly absent?: string;
}

type Fields = Readonly<Record<string, Selectable>>;

const NAME: Fields = { 'metadata.name': at('metadata.name') };
const METADATA: Fields = { ...NAME, 'metadata.namespace': at('metadata.namespace') };

const REFERENCE_MEMBERS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

const FIELDS: Readonly<Record<string, Fields>> = {
  pods: {
    ...METADATA,
    ...plain('spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName'),
    'spec.host': at('spec.nodeName'),
    'spec.hostNetwork': { paths: ['spec.hostNetwork'], absent: 'false' },
    ...plain('status.phase', 'status.podIP', 'status.nominatedNodeName'),
    'status.podIPs': at('status.podIP'),
  },
  nodes: { ...NAME, 'spec.unschedulable': { paths: ['spec.unschedulable'], absent: 'false' } },
  namespaces: { ...NAME, ...plain('status.phase') },
  secrets: { ...METADATA, ...plain('type') },
  services: { ...METADATA, ...plain('spec.clusterIP', 'spec.type') },
  events: {
    ...METADATA,
    ...plain(...REFERENCE_MEMBERS.map((member) => `involvedObject.${member}`)),
    ...plain('reason', 'reportingComponent', 'type'),
    source: { paths: ['source.component', 'reportingComponent'] },
  },
  'events.events.k8s.io': {
    ...METADATA,
    ...plain(...REFERENCE_MEMBERS.map((member) => `regarding.${member}`)),
    ...plain('reason', 'reportingController', 'type'),
  },
  'jobs.batch': { ...METADATA, 'status.successful': { paths: ['status.succeeded'], absent: '0' } },
};

function at(path: string): Selectable {
  return { paths: [path] };
}

function plain(...paths: string[]): Fields {
  return Object.fromEntries(paths.map((path) => [path, at(path)]));
}

type SelectableKind = Pick<Kind, 'group' | 'plural' | 'kind' | 'isCustom' | 'definition'>;

function fieldsOf(kind: SelectableKind): Fields {
  const { definition } = kind;
  if (definition && definition.selectableFields.length > 0) return declaredFields(definition);
  return FIELDS[resourceOf(kind)] ?? METADATA;
}

const declared = new WeakMap<Definition, Fields>();

/** Those that a CustomResourceDefinition names, by paths without their first dot. */
function declaredFields(definition: Definition): Fields {
  const known = declared.get(definition);
  if (known) return known;
  const fields = { ...METADATA, ...plain(...definition.selectableFields.map((path) => path.replace(/^\./, ''))) };
  declared.set(definition, fields);
  return fields;
}

/** An error, in the words that this kind has for it, if the selector names a field that the kind does not offer. */
export function unselectableField(kind: SelectableKind, selector: FieldSelector): ParseError | undefined {
  const fields = fieldsOf(kind);
  const unknown = selector.find(({ field }) => !Object.hasOwn(fields, field));
  return unknown && new ParseError(refusal(kind, unknown.field));
}

function refusal(kind: SelectableKind, field: string): string {
  const resource = resourceOf(kind);
  if (resource === 'jobs.batch') return `field label "${field}" not supported for Job`;
  if (kind.isCustom || FIELDS[resource] !== undefined) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** The values of all selectable fields of an object, for `matchesFields`. */
export function selectableFields(kind: SelectableKind, object: unknown): Record<string, string> {
  const values = Object.entries(fieldsOf(kind)).map(([name, { paths, absent = '' }]) => {
    const found = paths.map((path) => valueAt(object, path)).find((value) => value !== '');
    return [name, found ?? absent];
  });
  return Object.fromEntries(values) as Record<string, string>;
}

function valueAt(object: unknown, path: string): string {
  let value = object;
  for (const member of path.split('.')) {
    value = isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
