/**
 * What a webhook answered. UNTRUSTED INPUT: a webhook is somebody else's program. Every member is looked at before it
 * is used, texts and counts are bounded, and whatever does not fit is a failed call (`Misbehaviour`), whose words are
 * those of the real server.
 */
import { getMember, isObject, isWithinDepth } from '#base/json.ts';
import { goJsonType } from '#kube/go-text.ts';
import { qualifiedNameProblems } from '#kube/names.ts';
import type { Status, StatusCause, StatusDetails } from '#kube/status.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';
import type { HookType, ReviewVersion } from '#apiserver/webhooks/hook.ts';

/** Levels of nesting in an answer, patch included. */
const MAX_DEPTH = 500;
const MAX_WARNINGS = 64;
const MAX_ANNOTATIONS = 64;
const MAX_CAUSES = 256;
/** Longest text of a refusal or a warning that is passed on. */
const MAX_TEXT_LENGTH = 32 * 1024;

/** An answer that cannot be used; the message is Kubernetes'. */
export class Misbehaviour extends Error {}

export type Refused = Pick<Status, 'message' | 'reason' | 'details'> & { readonly code: number };

export interface Verdict {
  readonly isAllowed: boolean;
  readonly refused: Refused;
  /** A JSON patch, parsed; undefined when nothing is to be changed. */
  readonly patch: unknown;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly uid: string;
  readonly type: HookType;
  readonly version: ReviewVersion;
}

type Document = Readonly<Record<string, unknown>>;

/** Throws Misbehaviour. */
export function parseVerdict(body: Buffer, asked: Asked): Verdict {
  const review = parseReview(body);
  const response = typedMember(review, 'response', 'object', 'AdmissionReview.response');
  if (response === undefined) throw invalid('webhook response was absent');
  if (asked.version === 'v1') checkIdentity(review, response, asked);
  const isAllowed = typedMember(response, 'allowed', 'boolean', 'AdmissionResponse.response.allowed') ?? false;
  return {
    isAllowed,
    refused: refusedOf(typedMember(response, 'status', 'object', 'AdmissionResponse.response.status')),
    patch: patchOf(response, asked),
    warnings: warningsOf(response),
    auditAnnotations: annotationsOf(response),
  };
}

function parseReview(body: Buffer): Document {
  const text = body.toString('utf8');
  let review: unknown;
  try {
    review = JSON.parse(text);
  } catch {
    throw unreadable(`couldn't get version/kind; json parse error: ${jsonSyntaxError(body.toString('latin1'))}`);
  }
  if (!isObject(review)) {
    throw unreadable(`json: cannot unmarshal ${goJsonType(review)} into Go value of type v1.AdmissionReview`);
  }
  if (!isWithinDepth(review, MAX_DEPTH)) throw unreadable('exceeded max depth');
  return review;
}

/** Before the answer counts as one of a webhook at all. */
function unreadable(why: string): Misbehaviour {
  return new Misbehaviour(`failed to call webhook: ${why}`);
}

function invalid(why: string): Misbehaviour {
  return new Misbehaviour(`received invalid webhook response: ${why}`);
}

function checkIdentity(review: Document, response: Document, { uid }: Asked): void {
  const answered = typedMember(response, 'uid', 'string', 'AdmissionResponse.response.uid') ?? '';
  if (answered !== uid) {
    throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(shortened(answered))}`);
  }
  const apiVersion = typedMember(review, 'apiVersion', 'string', 'AdmissionReview.apiVersion') ?? '';
  const kind = typedMember(review, 'kind', 'string', 'AdmissionReview.kind') ?? '';
  if (apiVersion === 'admission.k8s.io/v1' && kind === 'AdmissionReview') return;
  const version = apiVersion === '' ? '/' : apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  const got = shortened(`${version}, Kind=${kind}`);
  throw invalid(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${got}`);
}

function patchOf(response: Document, { type, version }: Asked): unknown {
  const encoded = typedMember(response, 'patch', 'string', 'AdmissionResponse.response.patch') ?? '';
  const patchType = typedMember(response, 'patchType', 'string', 'AdmissionResponse.response.patchType');
  if (type === 'validating') {
    if (version === 'v1beta1') return undefined;
    if (encoded !== '') throw invalid('validating webhook may not return response.patch');
    if (patchType !== undefined) throw invalid('validating webhook may not return response.patchType');
    return undefined;
  }
  if (version === 'v1') checkPatchType(encoded, patchType);
  return encoded === '' ? undefined : decodedPatch(encoded);
}

function checkPatchType(encoded: string, patchType: string | undefined): void {
  if (encoded !== '' && patchType === undefined) {
    throw invalid('webhook returned response.patch but not response.patchType');
  }
  if (encoded === '' && patchType !== undefined) {
    throw invalid('webhook returned response.patchType but not response.patch');
  }
  if (patchType === '') throw invalid('webhook returned invalid response.patchType of ""');
  if (patchType !== undefined && patchType !== 'JSONPatch') {
    throw new Misbehaviour(`unsupported patch type ${JSON.stringify(shortened(patchType))}`);
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function decodedPatch(encoded: string): unknown {
  if (!BASE64.test(encoded) || encoded.length % 4 !== 0) throw unreadable('illegal base64 data in response.patch');
  const bytes = Buffer.from(encoded, 'base64');
  let patch: unknown;
  try {
    patch = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new PatchFault(jsonSyntaxError(bytes.toString('latin1')));
  }
  if (!isWithinDepth(patch, MAX_DEPTH)) throw new PatchFault('exceeded max depth');
  return patch;
}

/** A patch that is no JSON: the request fails whatever the failure policy says. */
export class PatchFault extends Error {}

function warningsOf(response: Document): string[] {
  const warnings = typedMember(response, 'warnings', 'list', 'AdmissionResponse.response.warnings') ?? [];
  return warnings.slice(0, MAX_WARNINGS).map((warning) => {
    if (typeof warning !== 'string') throw mistyped(warning, 'AdmissionResponse.response.warnings', 'string');
    return shortened(warning);
  });
}

/** Those with names that the audit log takes; others are left out, as there. */
function annotationsOf(response: Document): Record<string, string> {
  const given =
    typedMember(response, 'auditAnnotations', 'object', 'AdmissionResponse.response.auditAnnotations') ?? {};
  const entries = Object.entries(given).slice(0, MAX_ANNOTATIONS);
  const taken = entries.flatMap(([key, value]): [string, string][] => {
    if (typeof value !== 'string') throw mistyped(value, 'AdmissionResponse.response.auditAnnotations', 'string');
    return qualifiedNameProblems(`a/${key}`).length === 0 ? [[key, shortened(value)]] : [];
  });
  return Object.fromEntries(taken);
}

const LEAST_ERROR_CODE = 400;
const MOST_ERROR_CODE = 599;

/** What of a `Status` may be passed on to the client. */
function refusedOf(status: Document | undefined): Refused {
  if (status === undefined) return { code: LEAST_ERROR_CODE };
  const at = 'AdmissionResponse.response.status';
  const code = typedMember(status, 'code', 'number', `${at}.code`) ?? LEAST_ERROR_CODE;
  const isError = Number.isInteger(code) && code >= LEAST_ERROR_CODE && code <= MOST_ERROR_CODE;
  const message = typedMember(status, 'message', 'string', `${at}.message`);
  const reason = typedMember(status, 'reason', 'string', `${at}.reason`);
  const details = typedMember(status, 'details', 'object', `${at}.details`);
  return {
    code: isError ? code : LEAST_ERROR_CODE,
    ...(message ? { message: shortened(message) } : {}),
    ...(reason ? { reason: shortened(reason) } : {}),
    ...(details ? { details: detailsOf(details, `${at}.details`) } : {}),
  };
}

function detailsOf(details: Document, at: string): StatusDetails {
  const causes = typedMember(details, 'causes', 'list', `${at}.causes`);
  const retryAfterSeconds = typedMember(details, 'retryAfterSeconds', 'number', `${at}.retryAfterSeconds`);
  return {
    ...texts(details, ['name', 'group', 'kind', 'uid'], at),
    ...(causes ? { causes: causes.slice(0, MAX_CAUSES).map((cause) => causeOf(cause, `${at}.causes`)) } : {}),
    ...(Number.isInteger(retryAfterSeconds) ? { retryAfterSeconds } : {}),
  };
}

function causeOf(cause: unknown, at: string): StatusCause {
  if (!isObject(cause)) throw mistyped(cause, at, 'v1.StatusCause');
  return texts(cause, ['reason', 'message', 'field'], at);
}

function texts<const N extends string>(from: Document, members: readonly N[], at: string): Partial<Record<N, string>> {
  const found: Partial<Record<N, string>> = {};
  for (const name of members) {
    const text = typedMember(from, name, 'string', `${at}.${name}`);
    if (text) found[name] = shortened(text);
  }
  return found;
}

interface Types {
  readonly string: string;
  readonly boolean: boolean;
  readonly number: number;
  readonly object: Document;
  readonly list: readonly unknown[];
}

const GO_TYPES: Readonly<Record<keyof Types, string>> = {
  string: 'string',
  boolean: 'bool',
  number: 'int32',
  object: 'struct',
  list: '[]string',
};

/** Undefined for a member that is absent or null. */
function typedMember<T extends keyof Types>(from: Document, name: string, type: T, at: string): Types[T] | undefined {
  const value = getMember(from, name) ?? undefined;
  if (value === undefined || isOf(type, value)) return value as Types[T] | undefined;
  throw mistyped(value, at, GO_TYPES[type]);
}

function isOf(type: keyof Types, value: unknown): boolean {
  if (type === 'list') return Array.isArray(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}

function mistyped(value: unknown, at: string, type: string): Misbehaviour {
  return unreadable(`json: cannot unmarshal ${goJsonType(value)} into Go struct field ${at} of type ${type}`);
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
}
