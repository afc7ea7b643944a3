import { emptyValue } from '#kube/canonical.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { alreadyExists, badRequest, invalid, plainError, type StatusError } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import { RevisionConflict } from '#store/errors.ts';
import { admissionRequest, type Api, refOf, type Target, writeContext } from '#apiserver/api.ts';
import { refusal } from '#apiserver/authorize.ts';
import { decode, type SentBody } from '#apiserver/decode.ts';
import { createOptions } from '#apiserver/admission/options.ts';
import { generateName, metadataProblems, stampNew } from '#apiserver/metadata.ts';
import { requireNamespace } from '#apiserver/namespaces.ts';
import { trackOwnership } from '#apiserver/ownership.ts';
import { demandSize } from '#apiserver/object-size.ts';
import { present, type ServedKind } from '#apiserver/registry.ts';
import type { Caller } from '#apiserver/user.ts';

/** How many names are drawn before a creation with generateName gives up. */
const MAX_NAME_DRAWS = 8;

export interface CreateRequest {
  readonly target: Target;
  readonly body: SentBody;
  readonly options: WriteOptions;
}

export async function createObject(api: Api, request: CreateRequest, caller: Caller): Promise<KubeObject> {
  const { target, body, options } = request;
  target.served.strategy.checkCreate?.();
  const object = decode(target.served, body, { options, caller });
  if (object.metadata.resourceVersion) throw plainError('resourceVersion should not be set on objects to be created');
  reconcileWithUrl(object, target);
  return createDecoded(api, { ...request, object }, caller);
}

export interface DecodedCreate extends Omit<CreateRequest, 'body'> {
  /** Of our own, in the stored version, defaulted. */
  readonly object: KubeObject;
  /** `set` when the managedFields are right already. */
  readonly ownership?: 'set';
  /** Of an update or an apply to what is not there. */
  readonly origin?: 'update';
}

/** The rest of the road of a creation; update and apply end here too. */
export async function createDecoded(api: Api, request: DecodedCreate, caller: Caller): Promise<KubeObject> {
  const { target, object, options } = request;
  const { served, namespace } = target;
  const isDryRun = options.dryRun === true;
  const admitted = { operation: 'CREATE', object, old: undefined, isDryRun, options: createOptions(options) } as const;
  requireNamespace(api, target, object.metadata.name ?? '');
  if (request.ownership !== 'set') trackOwnership(api, target, { before: undefined, after: object, options }, caller);
  await api.admission.mutate(served.resource, admissionRequest(target, caller, admitted));
  served.strategy.checkRights?.({ object, old: undefined, user: caller.user, namespace, name: target.name });
  stampNew(object, namespace, api.clock);
  const context = writeContext(api, caller, isDryRun);
  using _ = served.strategy.allocate?.(object, undefined, context);
  prepare(served, object);
  served.strategy.prepareForCreate?.(object, context);
  for (let draw = 1; ; draw += 1) {
    const isDrawn = drawName(api, object);
    validate(served, object, context);
    if (request.origin === 'update') requireCreationRight(api, target, caller);
    await api.admission.validate(served.resource, admissionRequest(target, caller, admitted));
    demandSize(object, caller);
    using _room = api.quotas.admit({ kind: served.kind, resource: served.resource, namespace, object, old: undefined });
    for (const warning of served.strategy.warnings?.(object, undefined) ?? []) caller.warn(warning);
    const stored = await insert(api, { ...target, name: object.metadata.name ?? '' }, object, options);
    if (stored) return present(served, stored);
    if (!isDrawn || draw >= MAX_NAME_DRAWS) throw taken(api, { ...target, name: object.metadata.name ?? '' });
    object.metadata.name = '';
  }
}

/** Whoever may update need not be one who may create. */
function requireCreationRight({ rights }: Api, { served, namespace, name }: Target, { user }: Caller): void {
  const { group, plural } = served.kind;
  const action = { verb: 'create', group, resource: plural, subresource: undefined, namespace, name };
  const attributes = { type: 'resource', ...action } as const;
  const decision = rights.authorizer(user, attributes);
  if (!decision.isAllowed) throw refusal(user, attributes, decision);
}

/** A document that replaces or applies an object says which one it means, as well as the URL does. */
export function requireName({ metadata }: KubeObject, { name }: Target): void {
  if (metadata.name) return;
  throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}

/** Name and namespace may stand in the URL, the body or both, but not differ. */
export function reconcileWithUrl(object: KubeObject, { namespace, name, served }: Target): void {
  const { metadata } = object;
  if (name !== '' && metadata.name && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (served.kind.namespaced && namespace !== undefined && metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name !== '') metadata.name = name;
  if (served.kind.namespaced && namespace !== undefined) metadata.namespace = namespace;
}

function prepare({ storedAs, strategy }: ServedKind, object: KubeObject): void {
  delete object.metadata.resourceVersion;
  if (storedAs.hasStatus && !strategy.keepsStatusOnCreate) resetStatus(storedAs, object);
  if (strategy.isNewGeneration) object.metadata.generation = 1;
}

/** A new object has no status of its own yet; that of a built-in kind is a struct, which is always there. */
function resetStatus({ isCustom, schema }: Kind, object: KubeObject): void {
  const withStatus = object as { status?: unknown };
  const status = schema.properties?.['status'];
  if (isCustom || !status) delete withStatus.status;
  else withStatus.status = emptyValue(status);
}

function validate(served: ServedKind, object: KubeObject, context: ReturnType<typeof writeContext>): void {
  const errors = [...metadataProblems(object, served), ...(served.strategy.validate?.(object, context) ?? [])];
  if (errors.length > 0) throw invalid({ ...served.storedAs, kind: object.kind }, object.metadata.name ?? '', errors);
}

/** True when the name was made up here, so that another one may do if it is taken. */
function drawName(api: Api, { metadata }: KubeObject): boolean {
  if (metadata.name || !metadata.generateName) return false;
  metadata.name = generateName(metadata.generateName, api.clock);
  return true;
}

function taken(api: Api, target: Target): StatusError {
  const holder = api.store.get(target.served.resource, refOf(target))?.object;
  const isEnding = holder?.metadata.deletionTimestamp !== undefined;
  return alreadyExists(target.served.kind, target.name, { isEnding });
}

/** Undefined when the name is taken. */
async function insert(
  api: Api,
  target: Target,
  object: KubeObject,
  options: WriteOptions,
): Promise<KubeObject | undefined> {
  const { resource } = target.served;
  const ref = refOf(target);
  if (options.dryRun) return api.store.get(resource, ref) ? undefined : object;
  try {
    return await api.store.write({
      resource,
      ref,
      expected: 0,
      object,
      durability: options.durability ?? 'durable',
    });
  } catch (error) {
    if (error instanceof RevisionConflict) return undefined;
    throw error;
  }
}
