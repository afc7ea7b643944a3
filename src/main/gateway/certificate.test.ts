import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { Pki } from '#apiserver/pki/pki.ts';
import type { Certificate } from '#dataplane/gateway/messages.ts';
import { keepCertified } from '#main/gateway/certificate.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const DAY_MS = 24 * 60 * 60_000;

test('waits for the authority, then always has a certificate that is good for months', async () => {
  using folder = new TemporaryFolder('pinnace-certificate-');
  const clock = new FakeClock();
  const used: Certificate[] = [];
  const end = new AbortController();
  const kept = keepCertified({ directory: folder.path, clock, use: (one) => used.push(one) }, end.signal);
  await clock.advance(1_000);
  assert.equal(used.length, 0);
  const pki = new Pki({ directory: folder.path, clock: systemClock, serverNames: [] });
  await clock.advance(1_000);
  assert.equal(used.length, 1);
  for (let day = 0; day < 100; day += 1) {
    await clock.advance(DAY_MS);
    const certificate = new X509Certificate(used.at(-1)?.cert ?? '');
    assert.ok(Date.parse(certificate.validTo) - clock.now() > 60 * DAY_MS);
    assert.ok(certificate.verify(new X509Certificate(pki.authorityCertificate).publicKey));
  }
  assert.equal(used.length, 6);
  end.abort();
  await kept;
});
