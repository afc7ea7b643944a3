import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { writeKubeconfig } from '#apiserver/pki/kubeconfig.ts';
import { Pki } from '#apiserver/pki/pki.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const DAY_MS = 24 * 60 * 60_000;

function directory(): Disposable & { path: string } {
  const made = mkdtempSync(path.join(tmpdir(), 'pki-'));
  return { path: made, [Symbol.dispose]: () => rmSync(made, { recursive: true }) };
}

test('certificates are signed by the authority and carry names, addresses, user and groups', () => {
  using dir = directory();
  const pki = new Pki({ directory: dir.path, clock: new FakeClock(), serverNames: ['api.example.com', '10.1.2.3'] });
  const authority = new X509Certificate(pki.authorityCertificate);
  const server = new X509Certificate(pki.server.certificate);
  assert.ok(authority.ca && authority.verify(authority.publicKey));
  assert.ok(server.verify(authority.publicKey) && server.checkIssued(authority));
  for (const name of ['localhost', 'kubernetes.default.svc', 'api.example.com'])
    assert.ok(server.checkHost(name), name);
  for (const address of ['127.0.0.1', '::1', '10.1.2.3']) assert.ok(server.checkIP(address), address);
  assert.equal(server.checkHost('other.example.com'), undefined);
  const client = new X509Certificate(pki.issueClient({ commonName: 'ann', organizations: ['dev', 'ops'] }).certificate);
  assert.equal(client.subject, 'O=dev\nO=ops\nCN=ann');
  assert.deepEqual(client.keyUsage, ['1.3.6.1.5.5.7.3.2']);
});

test('what was made is kept, readable by its owner only', () => {
  using dir = directory();
  const options = { directory: dir.path, clock: new FakeClock(), serverNames: ['a.example.com'] };
  const first = new Pki(options);
  const second = new Pki(options);
  assert.equal(second.authorityCertificate, first.authorityCertificate);
  assert.equal(second.server.key, first.server.key);
  assert.equal(second.serviceAccountKey, first.serviceAccountKey);
  assert.equal(statSync(path.join(dir.path, 'server.key')).mode & 0o777, 0o600);
  assert.equal(statSync(dir.path).mode & 0o777, 0o700);
});

test('a new name, a close end or a broken file makes a new certificate under the same authority', async () => {
  using dir = directory();
  const clock = new FakeClock();
  const first = new Pki({ directory: dir.path, clock, serverNames: [] });
  const renamed = new Pki({ directory: dir.path, clock, serverNames: ['new.example.com'] });
  assert.notEqual(renamed.server.certificate, first.server.certificate);
  assert.equal(renamed.admin.certificate, first.admin.certificate);
  assert.equal(renamed.renew(), false);
  await clock.advance(340 * DAY_MS);
  assert.equal(renamed.renew(), true);
  writeFileSync(path.join(dir.path, 'admin.crt'), 'cut sho');
  const repaired = new Pki({ directory: dir.path, clock, serverNames: ['new.example.com'] });
  assert.equal(repaired.authorityCertificate, first.authorityCertificate);
  assert.ok(new X509Certificate(repaired.admin.certificate));
});

test('the kubeconfig is one that our own client reads', () => {
  using dir = directory();
  const pki = new Pki({ directory: dir.path, clock: new FakeClock(), serverNames: [] });
  const file = path.join(dir.path, 'kubeconfig');
  writeKubeconfig({ file, server: 'https://127.0.0.1:6443', name: 'pinnace', pki });
  const access = loadKubeconfig(file);
  assert.equal(access.server, 'https://127.0.0.1:6443');
  assert.equal(access.clientKey, pki.admin.key);
  assert.equal(access.caCertificate, pki.authorityCertificate);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, 'utf8'), /current-context: pinnace/);
});
