import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { AuditFile, type AuditFileOptions } from '#apiserver/audit/audit-file.ts';

function scratch(): Disposable & { readonly folder: string; readonly file: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  const file = path.join(folder, 'audit.log');
  return { folder, file, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

function options(changes: Partial<AuditFileOptions> & Pick<AuditFileOptions, 'file'>): AuditFileOptions {
  const errors = new MetricRegistry().counter('errors', 'lost');
  return { logger: silentLogger, errors, ...changes };
}

test('lines come in order, for the owner of the file only, and are added to what is there', async () => {
  using place = scratch();
  for (const name of ['a', 'b']) {
    await using file = new AuditFile(options(place));
    for (let number = 0; number < 3; number += 1) file.add(`${name}${number}`);
  }
  assert.equal(readFileSync(place.file, 'utf8'), 'a0\na1\na2\nb0\nb1\nb2\n');
  assert.equal(statSync(place.file).mode & 0o777, 0o600);
});

test('a full file is put aside, and only so many are kept', async () => {
  using place = scratch();
  await using file = new AuditFile(options({ file: place.file, maxFileBytes: 100 }));
  for (let number = 0; number < 10; number += 1) {
    file.add(`${number}`.padEnd(80, '.'));
    await file.flush();
  }
  const names = ['audit.log', 'audit.log.1', 'audit.log.2', 'audit.log.3', 'audit.log.4'];
  assert.deepEqual(readdirSync(place.folder).sort(), names);
  const first = names.map((name) => readFileSync(path.join(place.folder, name), 'utf8').slice(0, 1));
  assert.deepEqual(first, ['9', '8', '7', '6', '5']);
});

test('nobody waits: what is too much at once is dropped and counted', async () => {
  using place = scratch();
  const given = options(place);
  await using file = new AuditFile(given);
  for (let number = 0; number < 40; number += 1) file.add('x'.repeat(1024 * 1024));
  assert.ok(given.errors.value({ plugin: 'log' }) > 20);
  await file.flush();
  assert.ok(statSync(place.file).size <= 17 * 1024 * 1024);
});

test('a place that cannot be written loses lines, says so once, and is tried again', async () => {
  using place = scratch();
  const said: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void said.push(message) };
  const given = options({ file: path.join(place.folder, 'absent', 'audit.log'), logger });
  await using file = new AuditFile(given);
  for (const line of ['a', 'b']) {
    file.add(line);
    await file.flush();
  }
  assert.equal(given.errors.value({ plugin: 'log' }), 2);
  assert.deepEqual(said, ['the audit log cannot be written']);
});
