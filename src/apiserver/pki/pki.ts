/**
 * The platform's certificates in `DIR/pki`: an authority, the server's, the administrator's, and a key that signs
 * service account tokens. Made when they are missing, made anew before they expire or when the server's names
 * change; a client that trusts the authority keeps trusting it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { MASTERS } from '#apiserver/user.ts';
import {
  createAuthority,
  issueCertificate,
  type KeyPair,
  type Subject,
  type Usage,
} from '#apiserver/pki/certificate.ts';
import { generateSigningKey, isSigningKey } from '#apiserver/tokens/signing-key.ts';

const DAY_MS = 24 * 60 * 60_000;
const AUTHORITY_VALID_MS = 10 * 365 * DAY_MS;
const CERTIFICATE_VALID_MS = 365 * DAY_MS;
/** A certificate that has less left is made anew. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

const AUTHORITY: Subject = { commonName: 'pinnace-ca' };
const SERVER: Subject = { commonName: 'kube-apiserver' };
const ADMIN: Subject = { commonName: 'pinnace-admin', organizations: [MASTERS] };

/** Names of the API server inside the cluster; every server certificate carries them. */
const CLUSTER_NAMES = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '127.0.0.1',
  '::1',
];

export interface PkiOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** More names and addresses of the server: where it listens, its Service's address. */
  readonly serverNames: readonly string[];
}

export class Pki {
  readonly #options: PkiOptions;
  #authority: KeyPair;
  #server: KeyPair;
  #admin: KeyPair;
  /** PEM of the key that signs service account tokens. */
  readonly serviceAccountKey: string;

  constructor(options: PkiOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    chmodSync(options.directory, 0o700);
    this.#authority = this.#keep(
      'ca',
      (pair) => this.#isFresh(pair),
      () => this.#newAuthority(),
    );
    this.#server = this.#currentServer();
    this.#admin = this.#currentAdmin();
    this.serviceAccountKey = this.#keepKey('service-account.key');
  }

  get authorityCertificate(): string {
    return this.#authority.certificate;
  }

  get server(): KeyPair {
    return this.#server;
  }

  get admin(): KeyPair {
    return this.#admin;
  }

  /** Makes anew what is about to expire; true when there is something to take up. */
  renew(): boolean {
    const before = [this.#server, this.#admin];
    this.#server = this.#currentServer();
    this.#admin = this.#currentAdmin();
    return before[0]?.certificate !== this.#server.certificate || before[1]?.certificate !== this.#admin.certificate;
  }

  /** A client certificate that is not kept: its user is `commonName`, its groups the organisations. */
  issueClient(subject: Subject): KeyPair {
    return this.#issue(subject, 'client');
  }

  #currentServer(): KeyPair {
    const names = this.#serverNames();
    const isGood = (pair: KeyPair) => this.#isIssued(pair) && answersFor(pair, names);
    return this.#keep('server', isGood, () => this.#issue(SERVER, 'server', names));
  }

  #currentAdmin(): KeyPair {
    return this.#keep(
      'admin',
      (pair) => this.#isIssued(pair),
      () => this.#issue(ADMIN, 'client'),
    );
  }

  #serverNames(): string[] {
    return [...new Set([...CLUSTER_NAMES, ...this.#options.serverNames])];
  }

  #newAuthority(): KeyPair {
    return createAuthority({ subject: AUTHORITY, validForMs: AUTHORITY_VALID_MS, clock: this.#options.clock });
  }

  #issue(subject: Subject, usage: Usage, names: readonly string[] = []): KeyPair {
    const request = { subject, usage, names, validForMs: CERTIFICATE_VALID_MS, clock: this.#options.clock };
    return issueCertificate(request, { ...this.#authority, subject: AUTHORITY });
  }

  #isFresh({ certificate }: KeyPair): boolean {
    return new X509Certificate(certificate).validToDate.getTime() - this.#options.clock.now() > RENEW_BEFORE_MS;
  }

  #isIssued(pair: KeyPair): boolean {
    const authority = new X509Certificate(this.#authority.certificate);
    return this.#isFresh(pair) && new X509Certificate(pair.certificate).verify(authority.publicKey);
  }

  /** The pair on disk when it is good, else a new one, written down first. */
  #keep(name: string, isGood: (pair: KeyPair) => boolean, make: () => KeyPair): KeyPair {
    const kept = this.#read(name);
    if (kept && isGood(kept)) return kept;
    const made = make();
    this.#write(`${name}.key`, made.key);
    this.#write(`${name}.crt`, made.certificate);
    return made;
  }

  #read(name: string): KeyPair | undefined {
    try {
      const pair = { certificate: this.#load(`${name}.crt`), key: this.#load(`${name}.key`) };
      const isPair = new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key));
      return isPair ? pair : undefined;
    } catch {
      // Absent, cut short by a crash, or not a certificate: all the same, it is made anew.
      return undefined;
    }
  }

  #keepKey(file: string): string {
    try {
      const key = this.#load(file);
      if (isSigningKey(key)) return key;
    } catch {
      // Absent or cut short by a crash: it is made anew.
    }
    const key = generateSigningKey();
    this.#write(file, key);
    return key;
  }

  #load(file: string): string {
    return readFileSync(path.join(this.#options.directory, file), 'utf8');
  }

  #write(file: string, content: string): void {
    const target = path.join(this.#options.directory, file);
    writeFileSync(`${target}.new`, content, { mode: 0o600 });
    renameSync(`${target}.new`, target);
  }
}

function answersFor({ certificate }: KeyPair, names: readonly string[]): boolean {
  const x509 = new X509Certificate(certificate);
  return names.every((name) => (isIP(name) === 0 ? x509.checkHost(name) : x509.checkIP(name)) !== undefined);
}
