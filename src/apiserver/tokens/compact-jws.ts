/**
 * The compact form of a signed token: `HEADER.PAYLOAD.SIGNATURE`, each in base64url. The text is anybody's: what is too
 * long, not in its one canonical spelling or not what it should be inside is no token at all. Nothing here is trusted
 * until the signature was checked.
 */
import { isObject } from '#base/json.ts';

/** Longer ones are refused unread; ours have about a kilobyte. */
const MAX_TOKEN_CHARACTERS = 16 * 1024;

const BASE64URL = /^[\w-]+$/;

export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** What was signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

export function parseCompactJws(token: string): CompactJws | undefined {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
  const parts = token.split('.', 4);
  const [head, body, tail] = parts.map(bytesOf);
  if (parts.length !== 3 || !head || !body || !tail) return undefined;
  const header = objectOf(head);
  const payload = objectOf(body);
  if (!header || !payload) return undefined;
  const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1');
  return { header, payload, signed, signature: tail };
}

export function formatCompactJws(header: object, payload: object, sign: (signed: Buffer) => Buffer): string {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign(Buffer.from(text, 'latin1')).toString('base64url')}`;
}

/** Node skips what is not base64; a second spelling of the same bytes must not pass. */
function bytesOf(text: string): Buffer | undefined {
  if (!BASE64URL.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function objectOf(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
