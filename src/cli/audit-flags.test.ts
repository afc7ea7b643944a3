import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { auditFile, readAuditPolicy } from '#cli/audit-flags.ts';
import { CliError } from '#cli/context.ts';
import { changedBy } from '#cli/settings.ts';
import type { PlatformSettings } from '#protocol/platform.ts';

const policy = { rules: [{ level: 'Metadata' }] } as const;
const settings = { listenAddress: '127.0.0.1', manageHosts: true, logLevel: 'info' } as PlatformSettings;
const audited = { ...settings, audit: { log: '/var/log/audit.log', policy } };

test('a file is remembered with its whole path', () => {
  assert.equal(auditFile('audit.log'), path.resolve('audit.log'));
  assert.equal(auditFile('-'), '-');
  assert.equal(auditFile(''), '');
  assert.equal(auditFile(undefined), undefined);
});

describe('what differs from the settings of a platform that runs', () => {
  const hasAudit = (flags: object, kept: PlatformSettings) => changedBy(flags, kept).includes('audit');

  test('nothing, when nothing is said or the same again', () => {
    assert.equal(hasAudit({}, audited), false);
    assert.equal(hasAudit({ auditLog: '/var/log/audit.log', auditPolicy: policy }, audited), false);
  });

  test('a log, another one, none, or another policy', () => {
    assert.equal(hasAudit({ auditLog: '/var/log/audit.log' }, settings), true);
    assert.equal(hasAudit({ auditLog: '/elsewhere' }, audited), true);
    assert.equal(hasAudit({ auditLog: '' }, audited), true);
    assert.equal(hasAudit({ auditPolicy: { rules: [{ level: 'Request' }] } }, audited), true);
  });

  test('a policy without a log is a mistake', () => {
    assert.throws(() => changedBy({ auditPolicy: policy }, settings), CliError);
  });
});

test('a policy is read as YAML, and refused with its reason', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  try {
    const file = path.join(folder, 'policy.yaml');
    writeFileSync(file, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n');
    assert.deepEqual(await readAuditPolicy(file), policy);
    writeFileSync(file, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Everything\n');
    await assert.rejects(readAuditPolicy(file), /rules\[0\]\.level: has to be one of None, Metadata/);
    await assert.rejects(readAuditPolicy(path.join(folder, 'absent')), CliError);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
