/** The certificate that the gateway's TLS listener shows, from the platform's own authority, made anew in time. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { issueCertificate } from '#apiserver/pki/certificate.ts';
import type { Certificate } from '#dataplane/gateway/messages.ts';

const NAMES = ['localhost', '*.localhost', '*.default.localhost', '127.0.0.1', '::1'];
const DAY_MS = 24 * 60 * 60_000;
const VALID_FOR_MS = 90 * DAY_MS;
/** Timers cannot be set for a whole month. */
const RENEW_AFTER_MS = 20 * DAY_MS;
/** Control makes the authority on the platform's first start, beside us. */
const LOOK_EVERY_MS = 200;

export interface CertificateOptions {
  /** Of the authority. */
  readonly directory: string;
  readonly clock: Clock;
  /** Called with the first certificate and with each that follows. */
  readonly use: (certificate: Certificate) => void;
}

/** Resolves when `signal` aborts. */
export async function keepCertified({ directory, clock, use }: CertificateOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const authority = readAuthority(directory);
    if (authority) use(issue(authority, clock));
    await clock.sleep(authority ? RENEW_AFTER_MS : LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

function issue(authority: Authority, clock: Clock): Certificate {
  const request = { subject: { commonName: 'pinnace-gateway' }, usage: 'server', names: NAMES } as const;
  const pair = issueCertificate({ ...request, validForMs: VALID_FOR_MS, clock }, authority);
  return { cert: pair.certificate + authority.certificate, key: pair.key };
}

type Authority = NonNullable<ReturnType<typeof readAuthority>>;

function readAuthority(directory: string) {
  try {
    const certificate = readFileSync(path.join(directory, 'ca.crt'), 'utf8');
    const key = readFileSync(path.join(directory, 'ca.key'), 'utf8');
    return { certificate, key, subject: { commonName: 'pinnace-ca' } };
  } catch {
    // Not there yet, or not whole.
    return undefined;
  }
}
