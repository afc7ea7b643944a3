/** The certificate that the gateway's TLS listener shows, from the platform's own authority. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { issueCertificate } from '#apiserver/pki/certificate.ts';
import type { Certificate } from '#dataplane/gateway/messages.ts';

const NAMES = ['localhost', '*.localhost', '*.default.localhost', '127.0.0.1', '::1'];
const VALID_FOR_MS = 90 * 24 * 60 * 60_000;
/** Control makes the authority on the platform's first start, beside us. */
const LOOK_EVERY_MS = 200;

/** Waits until there is an authority; undefined when `signal` aborts first. */
export async function gatewayCertificate(
  { directory, clock }: { readonly directory: string; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Certificate | undefined> {
  while (!signal.aborted) {
    const authority = readAuthority(directory);
    if (authority) {
      const request = { subject: { commonName: 'pinnace-gateway' }, usage: 'server', names: NAMES } as const;
      const pair = issueCertificate({ ...request, validForMs: VALID_FOR_MS, clock }, authority);
      return { cert: pair.certificate + authority.certificate, key: pair.key };
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  return undefined;
}

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
