/** An answer of a registry that is no success, as an entry of our catalogue. */
import { isObject } from '#base/json.ts';
import { type Diagnostic, ImageError, type ImageErrorCode } from '#runtime/image/errors.ts';
import type { HttpResponse } from '#runtime/image/registry/http.ts';

const MAX_SHOWN_BODY = 512;

/** `body` is what was read of it, empty for HEAD. */
export function statusError(response: HttpResponse, body: Uint8Array): ImageError {
  const { status, statusText, method, url } = response;
  const text = Buffer.from(body).toString('utf8');
  const diagnostics = parseDiagnostics(text);
  const line = `unexpected status from ${method} request to ${url.href}: ${status} ${statusText}`;
  const details = diagnostics.map(({ code, message }) => `${code.toLowerCase().replaceAll('_', ' ')}: ${message}`);
  return new ImageError(codeOf(status), [line, ...details].join(': '), {
    request: {
      method,
      url: url.href,
      status,
      statusText,
      diagnostics,
      body: diagnostics.length === 0 ? text.slice(0, MAX_SHOWN_BODY).trim() : undefined,
    },
    retryAfterMs: retryAfterMs(response),
  });
}

function codeOf(status: number): ImageErrorCode {
  if (status === 404) return 'NotFound';
  if (status === 401 || status === 403) return 'AccessDenied';
  if (status === 429) return 'RateLimited';
  return status === 408 || status >= 500 ? 'RegistryFailed' : 'UnexpectedAnswer';
}

function parseDiagnostics(text: string): Diagnostic[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const list = isObject(value) ? value['errors'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).map(({ code, message, detail }) => ({
    code: typeof code === 'string' ? code : 'UNKNOWN',
    message: typeof message === 'string' ? message : '',
    detail,
  }));
}

/** Only the form in seconds: it is what registries send. */
function retryAfterMs({ headers }: HttpResponse): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined;
}
