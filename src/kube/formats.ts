/**
 * The formats of strings that Kubernetes 1.33 checks in custom resources, as its format library reads them, with its
 * generosities (`date-time` in lower case, `ipv4` with leading zeros, durations such as `2 days`). Other formats are
 * documentation: `int32`, `int64`, `float` and `double` among them.
 *
 * Untrusted input: every expression here is linear, or is only tried on texts that are short.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { parseRequestUrl } from '#kube/go-url.ts';
import { parseDuration } from '#kube/duration.ts';
import { ParseError } from '#kube/parse-error.ts';
import { isCardNumber, isIsbn10, isIsbn13 } from '#kube/check-digits.ts';

type Check = (text: string) => boolean;

const MAX_HOSTNAME_BYTES = 255;
const MAX_HOSTNAME_LABEL_BYTES = 63;
/** Longest text that is looked at as an address of e-mail. */
const MAX_EMAIL_LENGTH = 1_024;
/** A byte of an RGB colour, as the format library has it: 260 passes for 2 digits and one more. */
const COLOUR = String.raw`\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*`;

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['bsonobjectid', matching(/^[0-9a-fA-F]{24}$/)],
  ['uri', (text) => parseRequestUrl(text) !== undefined],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => text.includes('.') && isSloppyIp(text)],
  ['ipv6', (text) => text.includes(':') && isIPv6(text) && !text.includes('%')],
  ['cidr', isCidr],
  ['mac', isMac],
  ['uuid', uuid('[0-9a-f]{4}', '[0-9a-f]{4}')],
  ['uuid3', uuid('3[0-9a-f]{3}', '[0-9a-f]{4}')],
  ['uuid4', uuid('4[0-9a-f]{3}', '[89ab][0-9a-f]{3}')],
  ['uuid5', uuid('5[0-9a-f]{3}', '[89ab][0-9a-f]{3}')],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCardNumber],
  ['ssn', (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ['hexcolor', matching(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['rgbcolor', matching(new RegExp(String.raw`^rgb\(${COLOUR},${COLOUR},${COLOUR}\)$`))],
  ['byte', isBase64],
  ['password', () => true],
  ['date', isDate],
  ['duration', isDuration],
  ['datetime', isDateTime],
]);

/** Names of formats are read without their dashes. */
function normalized(format: string): string {
  return format.replaceAll('-', '');
}

export function isKnownFormat(format: string): boolean {
  return format !== '' && CHECKS.has(normalized(format));
}

/** True for formats that are not known. */
export function checkFormat(format: string, text: string): boolean {
  return CHECKS.get(normalized(format))?.(text) ?? true;
}

function matching(expression: RegExp): Check {
  return (text) => expression.test(text);
}

function uuid(third: string, fourth: string): Check {
  return matching(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${third}-?${fourth}-?[0-9a-f]{12}$`, 'i'));
}

/** At least one group, in the standard alphabet. */
function isBase64(text: string): boolean {
  const isWhole = text.length > 0 && text.length % 4 === 0;
  return isWhole && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function isDate(text: string): boolean {
  const [, year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12 || day < 1)
    return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (days[month - 1] ?? 0);
}

const TIME_OF_DAY = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/;

function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t');
  const [, hour = '', minute = '', second = ''] = TIME_OF_DAY.exec(time) ?? [];
  return isDate(date) && hour !== '' && hour <= '23' && minute <= '59' && second <= '59';
}

/** Beginnings of the units that Scala writes; Go's own durations are tried first. */
const UNITS = /^(?:ns|nano|us|\u00b5s|micro|ms|milli|s$|sec|m$|min|h$|hr$|hour|d$|day|w$|wk$|week)/i;

/** Digits that always fit in 64 bits. */
const MAX_COUNT_DIGITS = 18;

function isDuration(text: string): boolean {
  if (!(parseDuration(text) instanceof ParseError)) return true;
  const parts = [...text.matchAll(/(\d+)\s{0,16}([A-Za-z\u00b5]{1,16})/g)];
  if (parts.some(([, count = '']) => count.length > MAX_COUNT_DIGITS)) return false;
  return parts.some(([, , unit = '']) => UNITS.test(unit));
}

// The expression of the format library; it is only tried on texts of at most 255 bytes.
const HOSTNAME =
  /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[-a-zA-Z0-9\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u;

function isHostname(text: string): boolean {
  if (Buffer.byteLength(text) > MAX_HOSTNAME_BYTES) return false;
  const isShort = text.split('.').every((label) => Buffer.byteLength(label) <= MAX_HOSTNAME_LABEL_BYTES);
  return isShort && HOSTNAME.test(text);
}

/** `a@b.c`, or with a name: `Ann <a@b.c>`. Comments and routes of RFC 5322 are not read. */
function isEmail(text: string): boolean {
  if (text.length > MAX_EMAIL_LENGTH) return false;
  const named = /^\s*(?:"(?:[^"\\]|\\.)*"|[^<>",;:\\]*)\s*<([^<>]*)>\s*$/u.exec(text);
  const address = (named?.[1] ?? text).trim();
  const at = address.lastIndexOf('@');
  return at > 0 && isLocalPart(address.slice(0, at)) && isMailDomain(address.slice(at + 1));
}

const ATOM = String.raw`[-A-Za-z0-9!#$%&'*+/=?^_\x60{|}~\u0080-\u{10ffff}]+`;
const DOT_ATOM = new RegExp(String.raw`^${ATOM}(?:\.${ATOM})*$`, 'u');

function isLocalPart(text: string): boolean {
  return DOT_ATOM.test(text) || /^"(?:[^"\\]|\\.)+"$/u.test(text);
}

function isMailDomain(text: string): boolean {
  return DOT_ATOM.test(text) || (text.startsWith('[') && text.endsWith(']') && isIPv4(text.slice(1, -1)));
}

/** Leading zeros in IPv4 are tolerated, as they were before Go 1.17. */
function isSloppyIp(text: string): boolean {
  const parts = text.split('.');
  const isSloppy = parts.length === 4 && parts.every((part) => /^\d{1,32}$/.test(part) && Number(part) <= 255);
  return isSloppy || (isIPv6(text) && !text.includes('%'));
}

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const [address, length] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash < 0 || !isSloppyIp(address) || !/^\d{1,3}$/.test(length)) return false;
  return Number(length) <= (address.includes(':') ? 128 : 32);
}

/** 6, 8 or 20 bytes, as `00:00:5e:00:53:01`, `00-00-5e-00-53-01` or `0000.5e00.5301`. */
function isMac(text: string): boolean {
  const bytes = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5,19}$|^[0-9a-f]{2}(?:-[0-9a-f]{2}){5,19}$/i.test(text);
  if (bytes) return [6, 8, 20].includes(text.split(/[:-]/).length);
  return /^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,9}$/i.test(text) && [3, 4, 10].includes(text.split('.').length);
}
