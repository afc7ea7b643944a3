/**
 * From what a client sent to an object of our own in the stored version: its kind checked, unknown members dropped
 * and reported as `fieldValidation` asks, defaults filled in.
 */
import { clone, isObject } from '#base/json.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { shapeCustom, unknownFields } from '#kube/custom-shape.ts';
import { decodeError } from '#kube/decode-errors.ts';
import { goValue } from '#kube/go-text.ts';
import { invalidField } from '#kube/field-error.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { badRequest, internalError, invalid, StatusError } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import { conversionError } from '#apiserver/go-conversion.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { inSchemaOrder } from '#apiserver/schema-order.ts';
import type { Caller } from '#apiserver/user.ts';

/** What a client sent, parsed. */
export interface SentBody {
  readonly value: unknown;
  readonly repeated?: RepeatedKeys | undefined;
  /** It came in a form that cannot name unknown fields; those that only we do not know are dropped without a word. */
  readonly isTyped?: boolean | undefined;
}

/** What is to be said of keys that stood more than once in one object of the text. */
export interface RepeatedKeys {
  readonly strict: string;
  readonly warnings: readonly string[];
}

export interface DecodeContext {
  readonly options: WriteOptions;
  readonly caller: Caller;
}

type Document = Record<string, unknown>;

/** Why a document is not an object of the kind; becomes a 400 or, for a patch, a 422. */
class DecodeFault extends Error {}

export function decode(served: ServedKind, body: SentBody, asked: DecodeContext): KubeObject {
  const context = body.isTyped ? { ...asked, options: { ...asked.options, fieldValidation: undefined } } : asked;
  const { kind } = served.kind;
  if (!isObject(body.value)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  const document = withTypes(served, body.value);
  try {
    checkSentTypes(served, document, context);
    return toStored(served, fitted(served, { document, repeated: body.repeated }, context));
  } catch (error) {
    if (!(error instanceof DecodeFault)) throw error;
    const version = JSON.stringify(String(document['apiVersion']).split('/').at(-1));
    throw badRequest(
      `${String(document['kind'])} in version ${version} cannot be handled as a ${kind}: ${error.message}`,
    );
  }
}

/** What a patch made of an object. A document that is none is shown whole in the refusal. */
export function decodePatched(served: ServedKind, patched: unknown, context: DecodeContext): KubeObject {
  const document = isObject(patched) ? patched : {};
  try {
    const typed = withTypes(served, document);
    checkTypes(served, typed);
    return toStored(served, fitted(served, { document: typed }, context));
  } catch (error) {
    if (!(error instanceof DecodeFault)) throw error;
    throw badPatch(served, document, error.message);
  }
}

/** What a strategic merge made of an object; a result that is none is refused by showing the patch, as Go prints it. */
export function decodeMerged(
  served: ServedKind,
  { merged, patch }: { readonly merged: unknown; readonly patch: unknown },
  context: DecodeContext,
): KubeObject {
  const fault = conversionError(served.kind.schema, merged);
  if (fault !== undefined) throw invalid(NO_KIND, '', [invalidField('patch', goValue(patch), fault)]);
  return decodePatched(served, merged, context);
}

/** What an apply made of an object: its fields have been looked at already. */
export function decodeApplied(served: ServedKind, merged: KubeObject): KubeObject {
  return toStored(served, shaped(served, { ...merged }));
}

/** What admission made of an object: a document that is none is the webhook's fault, which the client gets as a 500. */
export function decodeAdmitted(served: ServedKind, document: Document): KubeObject {
  const { kind } = served;
  const fault = kind.isCustom ? undefined : decodeError(kind.schema, document);
  if (fault !== undefined) throw internalError(fault);
  return toStored(served, shaped(served, { ...document, apiVersion: apiVersionOf(kind), kind: kind.kind }));
}

interface Parsed {
  readonly document: Document;
  readonly repeated?: RepeatedKeys | undefined;
}

function fitted(served: ServedKind, { document, repeated }: Parsed, context: DecodeContext): KubeObject {
  const fault = served.kind.isCustom ? undefined : decodeError(served.kind.schema, document);
  if (fault !== undefined) throw new DecodeFault(fault);
  reportProblems(served, { document, repeated }, context);
  return shaped(served, document);
}

/** Repeated and unknown fields are errors, warnings or nothing. */
function reportProblems(served: ServedKind, { document, repeated }: Parsed, context: DecodeContext): void {
  if ((context.options.fieldValidation ?? 'Ignore') === 'Ignore') return;
  report({ unknown: unknownFields(served.kind, document), repeated }, context);
}

interface Problems {
  /** Paths. */
  readonly unknown: readonly string[];
  readonly repeated?: RepeatedKeys | undefined;
}

function report({ unknown: paths, repeated }: Problems, { options, caller }: DecodeContext): void {
  const { fieldValidation = 'Ignore' } = options;
  const unknown = paths.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (fieldValidation === 'Ignore' || (unknown.length === 0 && repeated === undefined)) return;
  if (fieldValidation === 'Strict') {
    const problems = repeated === undefined ? unknown : [repeated.strict, ...unknown];
    throw new DecodeFault(`strict decoding error: ${problems.join(', ')}`);
  }
  for (const problem of [...(repeated?.warnings ?? []), ...unknown]) caller.warn(problem);
}

/** An object of our own with the members of the kind and no others. */
function shaped({ kind }: ServedKind, document: Document): KubeObject {
  const object = kind.isCustom
    ? shapeCustom(kind, document)
    : (clone(canonicalValue(kind.schema, document)) as KubeObject);
  if (!isObject(object.metadata)) object.metadata = {};
  return object;
}

/** Converts and defaults an object in the served version that nobody else holds. */
function toStored(served: ServedKind, object: KubeObject): KubeObject {
  const stored = served.conversion ? served.conversion.toStored(object) : object;
  served.strategy.setDefaults?.(stored);
  return stored;
}

/** Built-in kinds may leave their types to the URL. */
function withTypes({ kind }: ServedKind, document: Document): Document {
  return {
    ...document,
    apiVersion: document['apiVersion'] || apiVersionOf(kind),
    kind: document['kind'] || kind.kind,
  };
}

/** What a custom kind is called inside is looked at only after admission, by its strategy. */
function checkSentTypes(served: ServedKind, document: Document, context: DecodeContext): void {
  const { kind, conversion } = served;
  if (!kind.isCustom || (conversion && !kind.definition)) return checkTypes(served, document);
  const [given, expected] = [String(document['apiVersion']), apiVersionOf(kind)];
  if (given === expected) return;
  // The schema of a version that is not served knows nothing but these.
  const unknown = Object.keys(document).filter((name) => !['apiVersion', 'kind', 'metadata'].includes(name));
  report({ unknown }, context);
  throw badRequest(`the API version in the data (${given}) does not match the expected API version (${expected})`);
}

function checkTypes({ kind }: ServedKind, document: Document): void {
  const [apiVersion, given] = [String(document['apiVersion']), String(document['kind'])];
  if (apiVersion === apiVersionOf(kind) && given === kind.kind) return;
  if (given === kind.kind) {
    const version = JSON.stringify(apiVersion);
    throw new DecodeFault(`no kind ${JSON.stringify(given)} is registered for version ${version} in scheme ${SCHEME}`);
  }
  const version = apiVersion.split('/').at(-1) ?? '';
  throw new DecodeFault(
    `converting (${version}.${given}) to (${goPackage(kind.group)}.${kind.kind}): unknown conversion`,
  );
}

const NO_KIND = { group: '', kind: '' };

/** Where the real server keeps its table of types; clients see it. */
const SCHEME = '"pkg/runtime/scheme.go:110"';

/** What Go calls the package of a group's types inside the real server. */
export function goPackage(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] ?? '');
}

function badPatch({ kind }: ServedKind, document: Document, why: string): StatusError {
  // Only a built-in kind has an order of its own.
  const { properties = {} } = kind.isCustom ? {} : kind.schema;
  const names = Object.keys(document).sort();
  const shown = Object.fromEntries(names.map((name) => [name, inSchemaOrder(properties[name], document[name])]));
  return invalid(NO_KIND, '', [invalidField('patch', JSON.stringify(shown), why)]);
}
