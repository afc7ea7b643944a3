import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageReference } from '#knative/admission/image-reference.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

const good: [string, string][] = [
  ['busybox', 'index.docker.io/library/busybox:latest'],
  ['library/busybox:1', 'index.docker.io/library/busybox:1'],
  ['docker.io/me/app', 'index.docker.io/me/app:latest'],
  ['ghcr.io/knative/helloworld-go:latest', 'ghcr.io/knative/helloworld-go:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['localhost/app', 'index.docker.io/localhost/app:latest'],
  ['dev.local/hello:1', 'dev.local/hello:1'],
  [`dev.local/hello@${digest}`, `dev.local/hello@${digest}`],
  [`dev.local/hello:1@${digest}`, `dev.local/hello@${digest}`],
  ['[::1]:5000/app:x', '[::1]:5000/app:x'],
  ['dev.local/hello:', 'dev.local/hello:latest'],
];
for (const [name, expected] of good) {
  test(`image ${name}`, () => {
    const reference = parseImageReference(name);
    assert.ok(!(reference instanceof Error));
    const { registry, repository, tag, digest } = reference;
    assert.equal(`${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`, expected);
  });
}

const bad = [
  '',
  'UPPER/case',
  'a b',
  'x',
  'dev.local/x:1',
  'dev.local/',
  'dev.local/hello:a b',
  `dev.local/hello:${'t'.repeat(129)}`,
  'dev.local/hello@sha256:123',
  `dev.local/hello@sha512:${'0a'.repeat(64)}`,
  `dev.local/hello@${digest}@${digest}`,
  `dev.local/${'r'.repeat(256)}`,
];
for (const name of bad) {
  test(`no image: ${name.slice(0, 40)}`, () => {
    const reference = parseImageReference(name);
    assert.ok(reference instanceof Error);
    assert.equal(reference.message, `could not parse reference: ${name}`);
  });
}
