import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { removeHosts, writeHosts } from '#runtime/hosts/hosts-file.ts';

const { signal } = new AbortController();

function fixture(): { file: string; folder: string } & Disposable {
  const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-hosts-'));
  const file = path.join(folder, 'hosts');
  writeFileSync(file, '127.0.0.1 localhost\n');
  chmodSync(file, 0o644);
  return { file, folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('many platforms write at once and none loses its lines; all removed leaves the file as it was', async () => {
  using f = fixture();
  const options = { clock: systemClock, file: f.file };
  const instances = Array.from({ length: 12 }, (_, index) => `i${index}`);
  await Promise.all(
    instances.map((instance) =>
      writeHosts(options, { instance, address: '127.0.0.1', hosts: [`${instance}.localhost`] }, signal),
    ),
  );
  const text = readFileSync(f.file, 'utf8');
  for (const instance of instances) assert.ok(text.includes(`127.0.0.1 ${instance}.localhost\n`), instance);
  await Promise.all(instances.map((instance) => removeHosts(options, instance, signal)));
  assert.equal(readFileSync(f.file, 'utf8'), '127.0.0.1 localhost\n');
  assert.equal(statSync(f.file).mode & 0o777, 0o644);
  assert.deepEqual(readdirSync(f.folder), ['hosts']);
});

test('unchanged hosts leave the file alone', async () => {
  using f = fixture();
  const write = () =>
    writeHosts(
      { clock: systemClock, file: f.file },
      { instance: 'a', address: '127.0.0.1', hosts: ['x.localhost'] },
      signal,
    );
  await write();
  const before = statSync(f.file).ino;
  await write();
  assert.equal(statSync(f.file).ino, before);
});

test('no hosts file at all is no failure', async () => {
  await removeHosts({ clock: systemClock, file: '/nonexistent/hosts' }, 'a', signal);
});
