/**
 * The paths of one served kind with their operations, named as Kubernetes names them: clients find a resource's kind,
 * and whether it takes `fieldValidation`, by looking through these.
 */
import { componentName } from '#kube/kind.ts';
import type { OpenApiSchema } from '#kube/openapi.ts';
import { listName, META_NAMES, reference } from '#apiserver/openapi/meta-components.ts';
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  nameParameter,
  namespaceParameter,
  type Parameter,
  patchParameters,
  prettyParameter,
  streamParameters,
  writeParameters,
} from '#apiserver/openapi/parameters.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { type KindName, type Subresource, subresourcesOf, type Verb, verbsOf } from '#apiserver/resources.ts';

export interface Operation {
  readonly tags: readonly string[];
  readonly description: string;
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: OpenApiSchema }> };
  readonly responses: Record<string, { readonly description: string; readonly content?: object }>;
  readonly 'x-kubernetes-action': string;
  readonly 'x-kubernetes-group-version-kind': KindName;
}

export interface PathItem {
  readonly parameters: readonly Parameter[];
  readonly [method: string]: Operation | readonly Parameter[];
}

interface Place {
  readonly served: ServedKind;
  readonly subresource: Subresource | undefined;
  /** `Namespaced` in operations of one namespace. */
  readonly scope: 'Namespaced' | '';
}

export function pathsOf(served: ServedKind): Record<string, PathItem> {
  const { kind } = served;
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const base = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const outer = [...(kind.namespaced ? [namespaceParameter] : []), prettyParameter];
  const inner = [nameParameter(kind.kind), ...outer];
  const place: Place = { served, subresource: undefined, scope: kind.namespaced ? 'Namespaced' : '' };
  const verbs = verbsOf(served);
  const paths: Record<string, PathItem> = {};
  if (kind.namespaced && verbs.includes('list')) {
    const everywhere = { ...operation({ ...place, scope: '' }, 'list'), operationId: everywhereId(served) };
    paths[`${root}/${kind.plural}`] = { get: everywhere, parameters: [prettyParameter, ...listParameters] };
  }
  paths[base] = item(place, only(verbs, ['list', 'create', 'deletecollection']), outer);
  const ofOne = only(verbs, ['get', 'update', 'delete', 'patch']);
  if (ofOne.length > 0) paths[`${base}/{name}`] = item(place, ofOne, inner);
  for (const subresource of subresourcesOf(served)) {
    paths[`${base}/{name}/${subresource.name}`] = item({ ...place, subresource }, subresource.verbs, inner);
  }
  return paths;
}

function only(verbs: readonly Verb[], wanted: readonly Verb[]): Verb[] {
  return wanted.filter((verb) => verbs.includes(verb));
}

const METHODS: Readonly<Record<Verb, string>> = {
  create: 'post',
  delete: 'delete',
  deletecollection: 'delete',
  get: 'get',
  list: 'get',
  patch: 'patch',
  update: 'put',
  watch: 'get',
};

function item(place: Place, verbs: readonly Verb[], parameters: readonly Parameter[]): PathItem {
  const own = streamParameters[place.subresource?.name ?? ''] ?? [];
  const operations = verbs.map((verb) => [METHODS[verb], operation(place, verb)] as const);
  return { ...Object.fromEntries(operations), parameters: [...parameters, ...own] };
}

const ACTIONS: Readonly<Record<Verb, string>> = { ...METHODS, list: 'list', deletecollection: 'deletecollection' };

function operation(place: Place, verb: Verb): Operation {
  const { served, subresource } = place;
  const { kind } = served;
  const about = subresource?.kind ?? { group: kind.group, version: kind.version, kind: kind.kind };
  const isStream = subresource?.isProxied === true && subresource.name !== 'log';
  const parameters = parametersFor(verb, isStream);
  const body = bodyFor(place, verb);
  return {
    tags: [`${lowered(groupWord(kind.group))}_${kind.version}`],
    description: describe(place, verb),
    operationId: isStream ? connectId(place, verb) : operationId(place, verb),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body && !isStream ? { requestBody: body } : {}),
    responses: responsesFor(place, verb),
    'x-kubernetes-action': isStream ? 'connect' : ACTIONS[verb],
    'x-kubernetes-group-version-kind': { group: about.group, version: about.version, kind: about.kind },
  };
}

function parametersFor(verb: Verb, isStream: boolean): readonly Parameter[] {
  if (isStream) return [];
  switch (verb) {
    case 'create':
    case 'update':
      return writeParameters;
    case 'patch':
      return patchParameters;
    case 'delete':
      return deleteParameters;
    case 'deletecollection':
      return deleteCollectionParameters;
    case 'list':
      return listParameters;
    default:
      return [];
  }
}

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
];

function bodyFor(place: Place, verb: Verb): Operation['requestBody'] {
  if (verb === 'create' || verb === 'update') return { content: { '*/*': { schema: reference(componentFor(place)) } } };
  if (verb === 'delete' || verb === 'deletecollection') {
    return { content: { '*/*': { schema: reference(META_NAMES.deleteOptions) } } };
  }
  if (verb !== 'patch') return undefined;
  const types = PATCH_TYPES.filter((type) => !place.served.kind.isCustom || !type.includes('strategic'));
  return { content: Object.fromEntries(types.map((type) => [type, { schema: reference(META_NAMES.patch) }])) };
}

/** What is sent and answered there. Bindings and evictions are answered with a Status. */
function componentFor({ served, subresource }: Place): string {
  const other = subresource?.kind;
  if (!other) return componentName(served.kind);
  return other.kind === 'Scale' || subresource.isOwnKind ? componentName(other) : META_NAMES.status;
}

function responsesFor(place: Place, verb: Verb): Operation['responses'] {
  const unauthorized = { '401': { description: 'Unauthorized' } };
  if (place.subresource?.isProxied) {
    const content = { 'text/plain': { schema: { type: 'string' } } };
    return { '200': { description: 'OK', content }, ...unauthorized };
  }
  const schema = reference(answerOf(place, verb));
  const content = { 'application/json': { schema }, 'application/yaml': { schema } };
  const created = verb === 'create' || verb === 'update' || verb === 'patch';
  const accepted = verb === 'create' || verb === 'delete';
  return {
    '200': { description: 'OK', content },
    ...(created ? { '201': { description: 'Created', content } } : {}),
    ...(accepted ? { '202': { description: 'Accepted', content } } : {}),
    ...unauthorized,
  };
}

function answerOf(place: Place, verb: Verb): string {
  if (verb === 'list') return listName(place.served.kind);
  return verb === 'delete' || verb === 'deletecollection' ? META_NAMES.status : componentFor(place);
}

const WORDS: Readonly<Record<Verb, string>> = {
  create: 'create',
  delete: 'delete',
  deletecollection: 'delete',
  get: 'read',
  list: 'list',
  patch: 'patch',
  update: 'replace',
  watch: 'watch',
};

function operationId({ served, subresource, scope }: Place, verb: Verb): string {
  const { kind } = served;
  const collection = verb === 'deletecollection' ? 'Collection' : '';
  const part = subresource ? raised(subresource.name) : '';
  return `${WORDS[verb]}${versionWord(served)}${collection}${scope}${kind.kind}${part}`;
}

function everywhereId(served: ServedKind): string {
  return `list${versionWord(served)}${served.kind.kind}ForAllNamespaces`;
}

function connectId({ served, subresource, scope }: Place, verb: Verb): string {
  const method = raised(METHODS[verb]);
  return `connect${versionWord(served)}${method}${scope}${served.kind.kind}${raised(subresource?.name ?? '')}`;
}

/** `AppsV1`, `ServingKnativeDevV1`. */
function versionWord({ kind }: ServedKind): string {
  return groupWord(kind.group) + raised(kind.version);
}

function groupWord(group: string): string {
  if (group === '') return 'Core';
  return group
    .replace(/\.k8s\.io$/, '')
    .split('.')
    .map(raised)
    .join('');
}

function raised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function lowered(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function describe({ served, subresource }: Place, verb: Verb): string {
  const part = subresource ? `${subresource.name} of the specified ${served.kind.kind}` : served.kind.kind;
  if (verb === 'list') return `list or watch objects of kind ${served.kind.kind}`;
  return `${WORDS[verb]} ${verb === 'deletecollection' ? 'collection of ' : ''}${part}`;
}
