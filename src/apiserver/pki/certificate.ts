/**
 * X.509 certificates on P-256 keys: an authority of our own, and what it signs. Only what TLS between our server and
 * Kubernetes' clients needs.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { parseIp } from '#base/ip.ts';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from '#apiserver/pki/der.ts';

/** A certificate and its private key, both in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export type Usage = 'authority' | 'server' | 'client';

export interface CertificateRequest {
  readonly subject: Subject;
  readonly usage: Usage;
  /** Host names and addresses that a server answers for. */
  readonly names?: readonly string[];
  readonly validForMs: number;
  readonly clock: Clock;
}

interface Issuer {
  readonly subject: Subject;
  readonly key: KeyObject;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Clocks of clients may be behind ours by as much. */
const BACKDATED_MS = 5 * 60_000;

const SERIAL_BYTES = 16;

/** A new authority, signed by itself. */
export function createAuthority(request: Omit<CertificateRequest, 'usage' | 'names'>): KeyPair {
  const key = newKey();
  return issue({ ...request, usage: 'authority' }, key, { subject: request.subject, key });
}

/** A new key and its certificate, signed by `authority`. */
export function issueCertificate(request: CertificateRequest, authority: KeyPair & { subject: Subject }): KeyPair {
  const issuer = { subject: authority.subject, key: createPrivateKey(authority.key) };
  return issue(request, newKey(), issuer);
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function issue(request: CertificateRequest, key: KeyObject, issuer: Issuer): KeyPair {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const now = request.clock.now();
  const body = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(serial(request.clock)),
    algorithm,
    nameOf(issuer.subject),
    sequence(time(now - BACKDATED_MS), time(now + request.validForMs)),
    nameOf(request.subject),
    publicBytes(key),
    explicit(3, sequence(...extensions(request, key, issuer.key))),
  );
  const signature = sign('sha256', body, issuer.key);
  const certificate = sequence(body, algorithm, bitString(signature));
  return { certificate: pem('CERTIFICATE', certificate), key: key.export({ type: 'pkcs8', format: 'pem' }) };
}

function serial(clock: Clock): Uint8Array {
  const bytes = Uint8Array.from(clock.randomBytes(SERIAL_BYTES));
  // Positive and of full length.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** Organisations first, as Kubernetes' own tools write them. */
function nameOf({ commonName, organizations = [] }: Subject): Uint8Array {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8String(value)));
  return sequence(...organizations.map((one) => attribute(ORGANIZATION, one)), attribute(COMMON_NAME, commonName));
}

function extensions({ usage, names = [] }: CertificateRequest, key: KeyObject, issuerKey: KeyObject): Uint8Array[] {
  const isAuthority = usage === 'authority';
  const constraints = isAuthority ? sequence(boolean('true')) : sequence();
  // digitalSignature (bit 0); keyCertSign and cRLSign (bits 5 and 6) for an authority.
  const keyUsage = isAuthority ? bitString(Uint8Array.of(0x86), 1) : bitString(Uint8Array.of(0x80), 7);
  const list = [
    extension(BASIC_CONSTRAINTS, constraints, 'critical'),
    extension(KEY_USAGE, keyUsage, 'critical'),
    extension(SUBJECT_KEY_ID, octetString(keyId(key))),
    extension(AUTHORITY_KEY_ID, sequence(implicit(0, keyId(issuerKey)))),
  ];
  if (!isAuthority) list.push(extension(EXTENDED_KEY_USAGE, sequence(oid(PURPOSES[usage]))));
  if (names.length > 0) list.push(extension(SUBJECT_ALT_NAME, sequence(...names.map(generalName))));
  return list;
}

function extension(id: string, content: Uint8Array, importance?: 'critical'): Uint8Array {
  const critical = importance === 'critical' ? [boolean('true')] : [];
  return sequence(oid(id), ...critical, octetString(content));
}

function generalName(name: string): Uint8Array {
  const address = isIP(name) === 0 ? undefined : parseIp(name);
  return address ? implicit(7, address) : implicit(2, Buffer.from(name));
}

function publicBytes(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function keyId(key: KeyObject): Uint8Array {
  return createHash('sha256').update(publicBytes(key)).digest().subarray(0, 20);
}

function pem(label: string, content: Uint8Array): string {
  const lines =
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
