/** What all kinds share: the metadata that only the server sets, its checks, generated names. */
import { randomSuffix, uuid } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import { deepEqual } from '#base/json.ts';
import { child, type FieldError, forbiddenField, index, invalidField, requiredField } from '#kube/field-error.ts';
import { dnsLabelProblems, dnsSubdomainProblems, qualifiedNameProblems } from '#kube/names.ts';
import { labelErrors } from '#kube/selectors.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';
import type { ServedKind } from '#apiserver/registry.ts';

/** Longest prefix that is kept of generateName, so that the whole fits into a label. */
const MAX_GENERATED_PREFIX = 58;
const SUFFIX_LENGTH = 5;

/** All annotations of one object together, in bytes. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** Finalizers that Kubernetes itself knows, which need no domain. */
const BARE_FINALIZERS: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** Gives a new object its identity; whatever the client said of it is dropped. */
export function stampNew(object: KubeObject, namespace: string | undefined, clock: Clock): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  if (namespace === undefined) delete metadata.namespace;
  else metadata.namespace = namespace;
  metadata.uid = uuid(clock);
  metadata.creationTimestamp = formatTime(clock.now());
}

export function generateName(prefix: string, clock: Clock): string {
  return prefix.slice(0, MAX_GENERATED_PREFIX) + randomSuffix(clock, SUFFIX_LENGTH);
}

/** Keeps what no update may change. */
export function carryOver(object: KubeObject, old: KubeObject): void {
  const { metadata } = object;
  const before = old.metadata;
  keep(metadata, 'generation', before.generation);
  keep(metadata, 'uid', metadata.uid || before.uid);
  keep(metadata, 'creationTimestamp', before.creationTimestamp);
  if (before.deletionTimestamp !== undefined) metadata.deletionTimestamp = before.deletionTimestamp;
  if (metadata.deletionGracePeriodSeconds === undefined) {
    keep(metadata, 'deletionGracePeriodSeconds', before.deletionGracePeriodSeconds);
  }
  delete metadata.selfLink;
}

function keep<K extends keyof ObjectMeta>(metadata: ObjectMeta, name: K, value: ObjectMeta[K]): void {
  if (value === undefined) delete metadata[name];
  else metadata[name] = value;
}

const PATH = 'metadata';

export function metadataProblems(object: KubeObject, served: ServedKind): FieldError[] {
  const { metadata } = object;
  return [...nameProblems(metadata, served), ...commonProblems(metadata)];
}

function nameProblems(metadata: ObjectMeta, served: ServedKind): FieldError[] {
  const errors: FieldError[] = [];
  const check = served.strategy.nameProblems ?? dnsSubdomainProblems;
  const { name = '', generateName: prefix = '', namespace = '' } = metadata;
  if (prefix !== '') {
    const masked = prefix.endsWith('-') ? `${prefix.slice(0, -1)}a` : prefix;
    for (const problem of check(masked)) errors.push(invalidField(child(PATH, 'generateName'), prefix, problem));
  }
  if (name === '') errors.push(requiredField(child(PATH, 'name'), 'name or generateName is required'));
  else for (const problem of check(name)) errors.push(invalidField(child(PATH, 'name'), name, problem));
  if (served.kind.namespaced) {
    const problems = namespace === '' ? [] : dnsLabelProblems(namespace);
    if (namespace === '') errors.push(requiredField(child(PATH, 'namespace')));
    for (const problem of problems) errors.push(invalidField(child(PATH, 'namespace'), namespace, problem));
  } else if (namespace !== '') {
    errors.push(forbiddenField(child(PATH, 'namespace'), 'not allowed on this type'));
  }
  return errors;
}

function commonProblems({ labels, annotations, ownerReferences, finalizers }: ObjectMeta): FieldError[] {
  return [
    ...labelErrors(labels ?? {}, child(PATH, 'labels')),
    ...annotationErrors(annotations ?? {}, child(PATH, 'annotations')),
    ...ownerErrors(ownerReferences ?? []),
    ...finalizerErrors(finalizers ?? []),
  ];
}

export function annotationErrors(annotations: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const problem of qualifiedNameProblems(key.toLowerCase())) errors.push(invalidField(path, key, problem));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > MAX_ANNOTATIONS_BYTES) {
    const message = `Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`;
    errors.push({ field: path, reason: 'FieldValueTooLong', message });
  }
  return errors;
}

function ownerErrors(owners: readonly OwnerReference[]): FieldError[] {
  const path = child(PATH, 'ownerReferences');
  const errors: FieldError[] = [];
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    errors.push(...oneOwnerErrors(owner, path));
    if (owner.controller !== true) continue;
    if (controller) errors.push(invalidField(path, owners, twoControllers(controller, owner)));
    controller ??= owner;
  }
  return errors;
}

function oneOwnerErrors(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const slashes = owner.apiVersion.split('/').length - 1;
  if (owner.apiVersion === '' || slashes > 1) {
    errors.push(invalidField(child(path, 'apiVersion'), owner.apiVersion, 'version must not be empty'));
  }
  for (const name of ['kind', 'name', 'uid'] as const) {
    if (owner[name] === '') errors.push(invalidField(child(path, name), '', `${name} must not be empty`));
  }
  return errors;
}

function twoControllers(first: OwnerReference, second: OwnerReference): string {
  const shown = `${first.kind}/${first.name} and ${second.kind}/${second.name}`;
  return `Only one reference can have Controller set to true. Found "true" in references for ${shown}`;
}

function finalizerErrors(finalizers: readonly string[]): FieldError[] {
  const path = child(PATH, 'finalizers');
  const errors = finalizers.flatMap((name, position) => finalizerNameErrors(name, index(path, position)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(invalidField(path, finalizers, detail));
  }
  return errors;
}

/** A finalizer has a domain, unless it is one of Kubernetes' own. */
export function finalizerNameErrors(name: string, path: string): FieldError[] {
  const errors = qualifiedNameProblems(name).map((problem) => invalidField(path, name, problem));
  if (errors.length > 0 || name.includes('/') || BARE_FINALIZERS.includes(name)) return errors;
  return [invalidField(path, name, 'name is neither a standard finalizer name nor is it fully qualified')];
}

export const IMMUTABLE = 'field is immutable';

const FIXED = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

export function metadataUpdateProblems(object: KubeObject, old: KubeObject): FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = [];
  if (old.metadata.deletionTimestamp !== undefined) errors.push(...newFinalizerErrors(metadata, old.metadata));
  for (const name of FIXED) {
    const value = metadata[name] ?? null;
    if (!deepEqual(value, old.metadata[name] ?? null)) errors.push(invalidField(entryOf(name), value, IMMUTABLE));
  }
  return [...errors, ...commonProblems({ ...metadata, finalizers: undefined })];
}

function newFinalizerErrors(metadata: ObjectMeta, before: ObjectMeta): FieldError[] {
  const added = (metadata.finalizers ?? []).filter((name) => !(before.finalizers ?? []).includes(name));
  if (added.length === 0) return [];
  const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
  return [forbiddenField(child(PATH, 'finalizers'), detail)];
}

const entryOf = (name: string) => child(PATH, name);
