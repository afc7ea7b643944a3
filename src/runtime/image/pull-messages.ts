/**
 * What a user sees of a pull: the kubelet's reasons, messages and event texts (Kubernetes 1.33), and the words in
 * which Knative reports that a tag could not be resolved. Pure texts; who emits them is the caller's business.
 */
import { ImageError, quote, type RequestFailure } from '#runtime/image/errors.ts';

export type WaitingReason =
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'InvalidImageName'
  | 'ErrImageNeverPull'
  | 'ErrImageInspect'
  | 'RegistryUnavailable';

export interface Waiting {
  readonly reason: WaitingReason;
  readonly message: string;
}

export interface PullEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'Pulling' | 'Pulled' | 'Failed' | 'BackOff' | 'ErrImageNeverPull' | 'InspectFailed';
  readonly message: string;
}

/** State of a container whose image could not be had. */
export function waitingFor(image: string, error: unknown): Waiting {
  if (!(error instanceof ImageError)) return { reason: 'ErrImagePull', message: rpcError('Unknown', textOf(error)) };
  switch (error.code) {
    case 'InvalidImageName':
      return {
        reason: 'InvalidImageName',
        message: `Failed to apply default image tag ${quote(image)}: ${error.message}`,
      };
    case 'NeverPull':
      return { reason: 'ErrImageNeverPull', message: error.message };
    case 'Unreachable':
    case 'RegistryFailed':
      return {
        reason: 'RegistryUnavailable',
        message: `image pull failed for ${image} because the registry is unavailable: ${error.message}`,
      };
    default:
      return { reason: 'ErrImagePull', message: rpcError(error.grpc, error.message) };
  }
}

/** State between two attempts; `previous` is what the last attempt ended with. */
export function backOffWaiting(image: string, previous: Waiting | undefined): Waiting {
  const why = previous ? `: ${previous.reason}: ${previous.message}` : '';
  return { reason: 'ImagePullBackOff', message: `Back-off pulling image ${quote(image)}${why}` };
}

export function pullingEvent(image: string): PullEvent {
  return { type: 'Normal', reason: 'Pulling', message: `Pulling image ${quote(image)}` };
}

export function presentEvent(image: string): PullEvent {
  return { type: 'Normal', reason: 'Pulled', message: `Container image ${quote(image)} already present on machine` };
}

/** `waitedMs` counts from the request, `pulledMs` from when the pull had its turn. */
export function pulledEvent(image: string, figures: { pulledMs: number; waitedMs: number; bytes: number }): PullEvent {
  const times = `${goDuration(figures.pulledMs)} (${goDuration(figures.waitedMs)} including waiting)`;
  const message = `Successfully pulled image ${quote(image)} in ${times}. Image size: ${figures.bytes} bytes.`;
  return { type: 'Normal', reason: 'Pulled', message };
}

export function failedEvent(image: string, error: unknown): PullEvent {
  const waiting = waitingFor(image, error);
  if (waiting.reason === 'InvalidImageName')
    return { type: 'Warning', reason: 'InspectFailed', message: waiting.message };
  if (waiting.reason === 'ErrImageNeverPull') {
    return { type: 'Warning', reason: 'ErrImageNeverPull', message: waiting.message };
  }
  const text = error instanceof ImageError ? rpcError(error.grpc, error.message) : textOf(error);
  return { type: 'Warning', reason: 'Failed', message: `Failed to pull image ${quote(image)}: ${text}` };
}

/** What follows `Unable to fetch image "…": failed to resolve image to digest: ` in a Revision's condition. */
export function digestResolutionText(error: unknown): string {
  if (!(error instanceof ImageError)) return textOf(error);
  return error.request ? requestText(error.request) : error.message;
}

/** The failed request in the words of the registry library that Knative uses. */
function requestText(request: RequestFailure): string {
  const { method, url, status, diagnostics = [], body } = request;
  if (status === undefined) return `${capitalised(method)} ${quote(pingUrl(url))}: ${request.network ?? 'no answer'}`;
  const where = `${method} ${url}`;
  if (diagnostics.length === 1) return `${where}: ${diagnostics.map(diagnosticText).join('; ')}`;
  if (diagnostics.length > 1) {
    return `${where}: multiple errors returned: ${diagnostics.map(diagnosticText).join('; ')}`;
  }
  const line = `unexpected status code ${status} ${request.statusText ?? ''}`.trimEnd();
  if (body) return `${where}: ${line}: ${body}`;
  const hint = method === 'HEAD' ? ' (HEAD responses have no body, use GET for details)' : '';
  return `${where}: ${line}${hint}`;
}

function diagnosticText({ code, message, detail }: { code: string; message: string; detail?: unknown }): string {
  const more = detail === undefined || detail === null ? '' : `; ${goValue(detail)}`;
  return `${code}: ${message}${more}`;
}

/** The library asks `/v2/` first, so that is the request that an unreachable registry fails. */
function pingUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed ? `${parsed.origin}/v2/` : url;
}

/** Go's %v of decoded JSON. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return JSON.stringify(value) ?? '';
  const pairs = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `map[${pairs.map(([key, entry]) => `${key}:${goValue(entry)}`).join(' ')}]`;
}

function capitalised(method: string): string {
  return method === 'HEAD' ? 'Get' : `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`;
}

function rpcError(code: string, text: string): string {
  return `rpc error: code = ${code} desc = ${text}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Milliseconds as Go prints a duration truncated to milliseconds: `950ms`, `1.2s`, `1m3.05s`. */
export function goDuration(milliseconds: number): string {
  const whole = Math.max(0, Math.trunc(milliseconds));
  if (whole === 0) return '0s';
  if (whole < 1_000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = (whole % 60_000) / 1_000;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
