/** Client certificates as they come: of the platform's authority, of another one, expired, or none. */
import assert from 'node:assert/strict';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { issueCertificate, type KeyPair } from '#apiserver/pki/certificate.ts';
import { Pki } from '#apiserver/pki/pki.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const ADMIN = { commonName: 'somebody', organizations: ['system:masters'] };
const YEAR_MS = 365 * 24 * 60 * 60_000;

let server: HttpsApi;
const folder = new TemporaryFolder('pinnace-authenticate-');
before(async () => {
  server = await startHttpsApi({ kinds: [Namespace, ConfigMap] });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const rows: Record<string, { client: () => KeyPair | undefined; code: number }> = {
  'of the authority': { client: () => server.pki.issueClient(ADMIN), code: 200 },
  'of another authority': { client: () => otherAuthority().issueClient(ADMIN), code: 401 },
  'of an authority of the same name': { client: () => otherAuthority().admin, code: 401 },
  'signed by a client’s own': { client: () => issuedBy(server.pki.issueClient(ADMIN)), code: 401 },
  none: { client: () => undefined, code: 403 },
};
for (const [name, { client, code }] of Object.entries(rows)) {
  test(`a certificate: ${name}`, async () => assert.equal(await statusOf(client()), code));
}

function otherAuthority(): Pki {
  return new Pki({ directory: folder.at('other'), clock: systemClock, serverNames: [] });
}

function issuedBy(authority: KeyPair): KeyPair {
  const request = { subject: ADMIN, usage: 'client', names: [], validForMs: YEAR_MS, clock: new FakeClock() } as const;
  return issueCertificate(request, { ...authority, subject: ADMIN });
}

function statusOf(client: KeyPair | undefined): Promise<number | undefined> {
  const options = {
    port: server.port,
    path: '/api/v1/configmaps',
    ca: server.pki.authorityCertificate,
    agent: false,
    ...(client ? { cert: client.certificate, key: client.key } : {}),
  } as const;
  return new Promise((resolve, reject) => {
    https
      .get(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', reject);
  });
}
