import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalName, familiarName, parseReference, referenceObject } from '#runtime/image/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const GOOD: readonly [what: string, text: string, canonical: string][] = [
  ['a short name is an official image of Docker Hub', 'nginx', 'docker.io/library/nginx:latest'],
  ['a tag', 'nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['a user of Docker Hub', 'alice/app', 'docker.io/alice/app:latest'],
  ['the old name of Docker Hub', 'index.docker.io/nginx', 'docker.io/library/nginx:latest'],
  ['docker.io spelled out', 'docker.io/alice/app:1', 'docker.io/alice/app:1'],
  ['a registry by its dot', 'ghcr.io/knative/hello:v1', 'ghcr.io/knative/hello:v1'],
  ['a registry by its port', 'reg:5000/a/b', 'reg:5000/a/b:latest'],
  ['localhost is a registry', 'localhost/app', 'localhost/app:latest'],
  ['an upper-case first part is a host', 'HOST/app', 'HOST/app:latest'],
  ['IPv6', '[::1]:5000/app:2', '[::1]:5000/app:2'],
  ['a digest', `reg.example/app@${DIGEST}`, `reg.example/app@${DIGEST}`],
  ['a digest wins over a tag', `reg.example/app:1@${DIGEST}`, `reg.example/app@${DIGEST}`],
  ['separators', 'dev.local/a_b/c__d/e--f.g:X_1.-', 'dev.local/a_b/c__d/e--f.g:X_1.-'],
];

for (const [what, text, canonical] of GOOD) {
  test(`${what}: ${text}`, () => {
    const parsed = parseReference(text);
    assert.ok('reference' in parsed, JSON.stringify(parsed));
    assert.equal(canonicalName(parsed.reference), canonical);
  });
}

const BAD: readonly [text: string, problem: string][] = [
  ['', 'invalid reference format'],
  ['a b', 'invalid reference format'],
  [':1', 'invalid reference format'],
  ['app:', 'invalid reference format'],
  ['app@', 'invalid reference format'],
  ['app@sha256:123', 'invalid reference format'],
  [`app@md5:${'a'.repeat(64)}`, 'invalid reference format'],
  ['reg.example//app', 'invalid reference format'],
  ['reg.example/app/', 'invalid reference format'],
  ['-reg.example/app', 'invalid reference format'],
  ['https://reg.example/app', 'invalid reference format'],
  ['a'.repeat(2_000), 'invalid reference format'],
  ['UPPER/Case:1', 'invalid reference format: repository name (Case) must be lowercase'],
  ['Upper', 'invalid reference format: repository name (library/Upper) must be lowercase'],
  ['a'.repeat(64), `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
  [`reg.example/${'a'.repeat(250)}`, 'repository name must not be more than 255 characters'],
];

for (const [text, problem] of BAD) {
  test(`refused: ${text.slice(0, 40)}`, () => assert.deepEqual(parseReference(text), { problem }));
}

test('the familiar form leaves out what is implied', () => {
  const familiar = (text: string) => {
    const parsed = parseReference(text);
    assert.ok('reference' in parsed);
    return familiarName(parsed.reference);
  };
  assert.equal(familiar('docker.io/library/nginx:1'), 'nginx:1');
  assert.equal(familiar('docker.io/alice/app'), 'alice/app:latest');
  assert.equal(familiar('ghcr.io/a/b'), 'ghcr.io/a/b:latest');
});

test('the registry is asked by digest when there is one', () => {
  const parsed = parseReference(`reg.example/app:1@${DIGEST}`);
  assert.ok('reference' in parsed);
  assert.equal(referenceObject(parsed.reference), DIGEST);
});
