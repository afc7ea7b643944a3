/**
 * The catalogue of what can go wrong with images. Every failure that leaves this folder is an `ImageError` (or an
 * abort); its message is what a user of Kubernetes knows from containerd and the kubelet, and its code decides
 * whether trying again may help, which reason a waiting container shows and which gRPC code the text carries.
 *
 * Errors cross from worker threads to their callers as plain objects (`toPlain`, `fromPlain`).
 */

interface Traits {
  /** Code in the text `rpc error: code = … desc = …` that the kubelet shows. */
  readonly grpc:
    | 'NotFound'
    | 'Unknown'
    | 'InvalidArgument'
    | 'FailedPrecondition'
    | 'ResourceExhausted'
    | 'Unavailable';
  /** Whether the same request may succeed a moment later. */
  readonly transient: boolean;
}

const FINAL: Traits = { grpc: 'Unknown', transient: false };
const PASSING: Traits = { grpc: 'Unknown', transient: true };

const CATALOGUE = {
  /** The name does not follow the grammar of references. */
  InvalidImageName: { grpc: 'InvalidArgument', transient: false },
  /** `imagePullPolicy: Never` and no such image here. */
  NeverPull: FINAL,
  /** The registry, or the local store, has no such image, manifest or blob. */
  NotFound: { grpc: 'NotFound', transient: false },
  /** 401, or 403: wrong or missing credentials, or no right to pull. */
  AccessDenied: FINAL,
  /** Nobody answers there: refused, no route, unknown host. */
  Unreachable: { grpc: 'Unavailable', transient: false },
  /** A connection that broke or took too long. */
  ConnectionLost: PASSING,
  Timeout: PASSING,
  /** The certificate was not accepted, or the peer does not speak TLS. */
  Tls: FINAL,
  /** 429. */
  RateLimited: PASSING,
  /** 5xx. */
  RegistryFailed: { grpc: 'Unavailable', transient: true },
  /** Any other answer that makes no sense. */
  UnexpectedAnswer: FINAL,
  /** The bytes are not those that the digest or size promises. */
  DigestMismatch: { grpc: 'FailedPrecondition', transient: false },
  SizeMismatch: { grpc: 'FailedPrecondition', transient: false },
  UnsupportedMediaType: FINAL,
  /** An index without a manifest for this platform. */
  NoMatchingPlatform: { grpc: 'NotFound', transient: false },
  /** A manifest, index or configuration that is not well-formed. */
  MalformedImage: FINAL,
  /** Beyond a bound of `limits.ts`. */
  LimitExceeded: { grpc: 'ResourceExhausted', transient: false },
  /** A path or link that leads out of the layer. */
  UnsafePath: FINAL,
  /** A device node in a layer. */
  DeviceNode: FINAL,
  /** A layer that cannot be read or laid out. */
  MalformedLayer: FINAL,
  MalformedArchive: FINAL,
  /** No space left, read-only or failing file system. */
  StorageFailed: FINAL,
  /** Containers use the image. */
  InUse: { grpc: 'FailedPrecondition', transient: false },
  /** The store is held by somebody else, or too many pulls wait. */
  Busy: { grpc: 'ResourceExhausted', transient: true },
  /** A worker thread died. */
  Internal: PASSING,
} as const satisfies Record<string, Traits>;

export type ImageErrorCode = keyof typeof CATALOGUE;
export type GrpcCode = Traits['grpc'];

/** One entry of the `errors` list that registries answer with. */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** The request that failed, for callers that word the failure themselves (digest resolution does). */
export interface RequestFailure {
  readonly method: string;
  readonly url: string;
  /** Absent when there was no answer. */
  readonly status?: number | undefined;
  readonly statusText?: string | undefined;
  readonly diagnostics?: readonly Diagnostic[] | undefined;
  /** Body of an answer that is not in the registries' error format. */
  readonly body?: string | undefined;
  /** What the network said, when there was no answer. */
  readonly network?: string | undefined;
}

export interface ImageErrorOptions {
  readonly cause?: unknown;
  readonly request?: RequestFailure | undefined;
  /** How long the registry asks to wait. */
  readonly retryAfterMs?: number | undefined;
}

export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;
  readonly request: RequestFailure | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ImageErrorCode, message: string, options: ImageErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.request = options.request;
    this.retryAfterMs = options.retryAfterMs;
  }

  get transient(): boolean {
    return CATALOGUE[this.code].transient;
  }

  get grpc(): GrpcCode {
    return CATALOGUE[this.code].grpc;
  }
}

export function isImageError(error: unknown, ...codes: ImageErrorCode[]): error is ImageError {
  return error instanceof ImageError && (codes.length === 0 || codes.includes(error.code));
}

/** The same failure with `context: ` before its message; anything but an ImageError passes unchanged. */
export function within(context: string, error: unknown): unknown {
  if (!(error instanceof ImageError)) return error;
  const { code, request, retryAfterMs } = error;
  return new ImageError(code, `${context}: ${error.message}`, { cause: error, request, retryAfterMs });
}

export interface PlainImageError {
  readonly code: ImageErrorCode;
  readonly message: string;
  readonly request: RequestFailure | undefined;
  readonly retryAfterMs: number | undefined;
}

export function toPlain(error: unknown): PlainImageError {
  const known = error instanceof ImageError ? error : storageError(error);
  return { code: known.code, message: known.message, request: known.request, retryAfterMs: known.retryAfterMs };
}

export function fromPlain({ code, message, request, retryAfterMs }: PlainImageError): ImageError {
  return new ImageError(code, message, { request, retryAfterMs });
}

/** An error of the file system or of ours, as an ImageError: out of space and the like are named. */
export function storageError(error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const text = typeof code === 'string' ? STORAGE_TEXTS[code] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (text !== undefined) return new ImageError('StorageFailed', `${text} (${message})`, { cause: error });
  return new ImageError('Internal', message, { cause: error });
}

const STORAGE_TEXTS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EIO: 'input/output error',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in system',
};

/** The name as given, and what is wrong with it. */
export function invalidImageName(image: string, problem: string): ImageError {
  return new ImageError('InvalidImageName', `couldn't parse image name ${quote(image)}: ${problem}`);
}

export function neverPull(image: string): ImageError {
  return new ImageError('NeverPull', `Container image ${quote(image)} is not present with pull policy of Never`);
}

export function notFound(what: string, options: ImageErrorOptions = {}): ImageError {
  return new ImageError('NotFound', `${what}: not found`, options);
}

export function digestMismatch(expected: string, got: string, where: string): ImageError {
  return new ImageError('DigestMismatch', `${where}: unexpected digest ${got}, expected ${expected}`);
}

export function sizeMismatch(expected: number, got: number, where: string): ImageError {
  return new ImageError('SizeMismatch', `${where}: unexpected size ${got}, expected ${expected}`);
}

export function limitExceeded(what: string, limit: number): ImageError {
  return new ImageError('LimitExceeded', `${what} exceeds the limit of ${limit}`);
}

/** Go's %q for the plain texts that occur here: quotes, backslashes and control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
