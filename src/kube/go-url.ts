/**
 * URLs as Go's `url.ParseRequestURI` reads them: an absolute URL or an absolute path. Used by the format `uri` and by
 * CEL's `url()`. Errors are not worded as Go words them: nobody sees them.
 */

export interface RequestUrl {
  readonly scheme: string;
  /** With the port, and with brackets around an IPv6 address. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly escapedPath: string;
  readonly query: string;
}

/** Longest text that is read. */
const MAX_URL_LENGTH = 65_536;

/** Undefined when it is no such URL. */
export function parseRequestUrl(text: string): RequestUrl | undefined {
  if (text === '' || text.length > MAX_URL_LENGTH || hasControl(text)) return undefined;
  if (text === '*') return { scheme: '', host: '', hostname: '', port: '', escapedPath: '*', query: '' };
  const { scheme, rest } = splitScheme(text);
  const questionMark = rest.indexOf('?');
  const path = questionMark < 0 ? rest : rest.slice(0, questionMark);
  const query = questionMark < 0 ? '' : rest.slice(questionMark + 1);
  if (!path.startsWith('/')) return opaque(scheme, query);
  if (scheme === '' && path.startsWith('///')) return plain(scheme, path, query);
  return path.startsWith('//') ? withAuthority(scheme, path.slice(2), query) : plain(scheme, path, query);
}

function hasControl(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text);
}

function splitScheme(text: string): { scheme: string; rest: string } {
  const scheme = /^([A-Za-z][-A-Za-z0-9+.]*):/.exec(text)?.[1];
  return scheme === undefined
    ? { scheme: '', rest: text }
    : { scheme: scheme.toLowerCase(), rest: text.slice(scheme.length + 1) };
}

/** `mailto:someone`: nothing after the scheme is taken apart. */
function opaque(scheme: string, query: string): RequestUrl | undefined {
  return scheme === '' ? undefined : { scheme, host: '', hostname: '', port: '', escapedPath: '', query };
}

function plain(scheme: string, path: string, query: string): RequestUrl | undefined {
  const escapedPath = escapePath(path);
  return escapedPath === undefined ? undefined : { scheme, host: '', hostname: '', port: '', escapedPath, query };
}

function withAuthority(scheme: string, text: string, query: string): RequestUrl | undefined {
  const slash = text.indexOf('/');
  const authority = slash < 0 ? text : text.slice(0, slash);
  const escapedPath = escapePath(slash < 0 ? '' : text.slice(slash));
  const at = authority.lastIndexOf('@');
  const host = readHost(authority.slice(at + 1));
  if (escapedPath === undefined || host === undefined) return undefined;
  if (at >= 0 && !/^[-A-Za-z0-9._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return undefined;
  return { scheme, ...host, escapedPath, query };
}

function readHost(text: string): { host: string; hostname: string; port: string } | undefined {
  const match = text.startsWith('[')
    ? /^\[([0-9A-Fa-f:.]+(?:%25[^\]]*)?)\](?::([0-9]*))?$/.exec(text)
    : /^([^:]*)(?::([0-9]*))?$/.exec(text);
  if (match === null) return undefined;
  const [, hostname = '', port = ''] = match;
  if (!text.startsWith('[') && /[\s"<>\\^`{|}/?#@[\]]/.test(hostname)) return undefined;
  // In a host only letters beyond ASCII may be escaped.
  if (/%[0-7]/.test(hostname) && !text.startsWith('[')) return undefined;
  const decoded = unescape(hostname);
  if (decoded === undefined) return undefined;
  const host = text.startsWith('[') ? text : decoded + text.slice(hostname.length);
  return { host, hostname: decoded, port };
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The path with what must be escaped escaped; undefined when an escape in it is broken. */
function escapePath(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  const isValid = /^(?:[-A-Za-z0-9._~!$&'()*+,;=:@/[\]]|%[0-9A-Fa-f]{2})*$/.test(path);
  if (isValid) return path;
  return path.replaceAll(/%[0-9A-Fa-f]{2}|[^-A-Za-z0-9._~$&+,/:;=@]/gu, (part) =>
    part.length === 3 && part.startsWith('%') ? part : percentEncoded(part),
  );
}

function percentEncoded(letter: string): string {
  return [...Buffer.from(letter)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
