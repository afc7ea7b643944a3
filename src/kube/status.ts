/**
 * The catalogue of API errors. Whatever goes wrong for a client of the API is a `StatusError`, and its `status` is
 * the body that the client gets. Texts and reasons are Kubernetes' own (recorded from kube-apiserver 1.33).
 */
import type { FieldError } from '#kube/field-error.ts';
import type { KindNames } from '#kube/kind.ts';
import { resourceOf } from '#kube/kind.ts';

export interface StatusCause {
  reason?: string | undefined;
  message?: string | undefined;
  field?: string | undefined;
}

export interface StatusDetails {
  name?: string | undefined;
  group?: string | undefined;
  kind?: string | undefined;
  uid?: string | undefined;
  causes?: StatusCause[] | undefined;
  retryAfterSeconds?: number | undefined;
}

/** `kind: Status`, version v1. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, unknown>;
  status: 'Success' | 'Failure';
  message?: string | undefined;
  reason?: string | undefined;
  details?: StatusDetails | undefined;
  code: number;
}

export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;
  /** Admission warnings that the client gets beside the error, as `Warning` headers. */
  readonly warnings: readonly string[];

  constructor(status: Status, options: { cause?: unknown; warnings?: readonly string[] } = {}) {
    super(status.message ?? status.reason ?? `HTTP ${status.code}`, { cause: options.cause });
    this.status = status;
    this.warnings = options.warnings ?? [];
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): string {
    return this.status.reason ?? '';
  }
}

type Resource = Pick<KindNames, 'group' | 'plural'>;

export interface Failure {
  readonly code: number;
  readonly reason?: string;
  readonly message: string;
  readonly details?: StatusDetails;
}

export function failure({ code, reason, message, details }: Failure): Status {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code };
  if (reason !== undefined) status.reason = reason;
  if (details !== undefined) status.details = details;
  return status;
}

function fail(content: Failure): StatusError {
  return new StatusError(failure(content));
}

function detailsOf(resource: Resource, name: string): StatusDetails {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
}

export function notFound(resource: Resource, name: string): StatusError {
  const message = `${resourceOf(resource)} "${name}" not found`;
  return fail({ code: 404, reason: 'NotFound', message, details: detailsOf(resource, name) });
}

/** @param isEnding it is there still, although it is deleted. */
export function alreadyExists(resource: Resource, name: string, { isEnding = false } = {}): StatusError {
  const message = `${isEnding ? 'object is being deleted: ' : ''}${resourceOf(resource)} "${name}" already exists`;
  return fail({ code: 409, reason: 'AlreadyExists', message, details: detailsOf(resource, name) });
}

/** 409 Conflict: somebody else wrote the object in between, or a precondition does not hold. */
export function conflict(resource: Resource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${resourceOf(resource)} "${name}": ${why}`;
  return fail({ code: 409, reason: 'Conflict', message, details: detailsOf(resource, name) });
}

const OBJECT_MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function staleVersion(resource: Resource, name: string): StatusError {
  return conflict(resource, name, OBJECT_MODIFIED);
}

/** 422 Invalid with one cause per field; `kind` is the Kind (and `group` its group), not the plural. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const subject = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const texts = errors.map(({ field, message }) => `${field || '<nil>'}: ${message}`);
  // The message says each thing once; the causes say it as often as it was found.
  const distinct = [...new Set(texts)];
  const list = distinct.length === 1 ? distinct[0] : `[${distinct.join(', ')}]`;
  const causes = errors.map(({ reason, message, field }) => ({ reason, message, field: field || '<nil>' }));
  return fail({
    code: 422,
    reason: 'Invalid',
    message: `${subject} "${name}" is invalid: ${list}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      ...(kind.kind === '' ? {} : { kind: kind.kind }),
      causes,
    },
  });
}

export function badRequest(message: string): StatusError {
  return fail({ code: 400, reason: 'BadRequest', message });
}

/** 422 without a cause: a JSON patch that cannot be applied. */
export function unprocessable(): StatusError {
  const message = 'the server rejected our request due to an error in our request';
  return fail({ code: 422, reason: 'Invalid', message, details: {} });
}

/** 413 RequestEntityTooLarge. */
export function requestTooLarge(message: string): StatusError {
  return fail({ code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: ${message}` });
}

/** 500 with a message and nothing else, which is how Kubernetes shows an error that it has no Status for. */
export function plainError(message: string): StatusError {
  return fail({ code: 500, message });
}

export function unauthorized(): StatusError {
  return fail({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
}

export function forbidden(resource: Resource, name: string, why: string): StatusError {
  const subject = name === '' ? resourceOf(resource) : `${resourceOf(resource)} "${name}"`;
  return fail({
    code: 403,
    reason: 'Forbidden',
    message: `${subject} is forbidden: ${why}`,
    details: detailsOf(resource, name),
  });
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return fail({ code: 405, reason: 'MethodNotAllowed', message, details: {} });
}

/** The same of a custom resource. */
export function methodNotSupported(resource: Resource, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind "${resourceOf(resource)}"`;
  const details = { ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
  return fail({ code: 405, reason: 'MethodNotAllowed', message, details });
}

/** 404 for a resource that a served group and version does not have. */
export function noSuchResource(): StatusError {
  return fail({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });
}

/** 410 for a resourceVersion or continue token that is older than what the store remembers. */
export function expired(message: string): StatusError {
  return fail({ code: 410, reason: 'Expired', message });
}

export function internalError(message: string, cause?: unknown): StatusError {
  const content = { code: 500, reason: 'InternalError', message: `Internal error occurred: ${message}` };
  return new StatusError(failure({ ...content, details: { causes: [{ message }] } }), { cause });
}

export function serviceUnavailable(message: string): StatusError {
  return fail({ code: 503, reason: 'ServiceUnavailable', message });
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return fail({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds } });
}

export function isStatus(error: unknown, ...reasons: string[]): error is StatusError {
  return error instanceof StatusError && reasons.includes(error.reason);
}

export function isNotFound(error: unknown): boolean {
  return isStatus(error, 'NotFound');
}

export function isConflict(error: unknown): boolean {
  return isStatus(error, 'Conflict');
}

export function isAlreadyExists(error: unknown): boolean {
  return isStatus(error, 'AlreadyExists');
}
