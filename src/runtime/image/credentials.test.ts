import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsFor, entriesOfConfig, entriesOfSecret } from '#runtime/image/credentials.ts';
import { parseReference } from '#runtime/image/reference.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

function chosen(image: string, auths: Record<string, string>): (string | undefined)[] {
  const parsed = parseReference(image);
  assert.ok('reference' in parsed);
  const config = {
    auths: Object.fromEntries(Object.entries(auths).map(([key, user]) => [key, { auth: base64(`${user}:pw`) }])),
  };
  return credentialsFor(parsed.reference, entriesOfConfig(config)).map(({ username }) => username);
}

const CASES: readonly [what: string, image: string, auths: Record<string, string>, users: string[]][] = [
  ['host', 'reg.example/a/b', { 'reg.example': 'u' }, ['u']],
  ['another host', 'other.example/a/b', { 'reg.example': 'u' }, []],
  ['scheme and version are left out', 'reg.example/a', { 'https://reg.example/v2/': 'u' }, ['u']],
  ['a path prefix', 'reg.example/team/app', { 'reg.example/team': 'u' }, ['u']],
  ['another path', 'reg.example/other/app', { 'reg.example/team': 'u' }, []],
  [
    'the more specific first, then the rest',
    'reg.example/team/app',
    { 'reg.example': 'all', 'reg.example/team': 'team' },
    ['team', 'all'],
  ],
  ['a star within a label', 'eu.reg.example/a', { '*.reg.example': 'u' }, ['u']],
  ['a star does not span a dot', 'a.b.reg.example/a', { '*.reg.example': 'u' }, []],
  ['part of a label', 'team-eu.reg.example/a', { 'team-*.reg.example': 'u' }, ['u']],
  ['ports are equal', 'reg.example:5000/a', { 'reg.example:5000': 'u' }, ['u']],
  ['a port that the entry lacks', 'reg.example:5000/a', { 'reg.example': 'u' }, []],
  ['a port that the image lacks', 'reg.example/a', { 'reg.example:5000': 'u' }, []],
  ['star and port', 'eu.reg.example:5000/a', { '*.reg.example:5000': 'u' }, ['u']],
  ['Docker Hub by its old address', 'nginx', { 'https://index.docker.io/v1/': 'u' }, ['u']],
  ['Docker Hub by its name', 'alice/app', { 'docker.io': 'u' }, ['u']],
  ['Docker Hub does not match others', 'quay.io/a/b', { 'https://index.docker.io/v1/': 'u' }, []],
  ['localhost', 'localhost:5000/a', { 'localhost:5000': 'u' }, ['u']],
];

for (const [what, image, auths, users] of CASES) {
  test(`${what}: ${image}`, () => assert.deepEqual(chosen(image, auths), users));
}

test('a secret of type dockerconfigjson', () => {
  const json = JSON.stringify({ auths: { 'reg.example': { username: 'u', password: 'p', email: 'e' } } });
  const secret = { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64(json) } };
  assert.deepEqual(entriesOfSecret(secret), [
    {
      location: 'reg.example',
      credential: { username: 'u', password: 'p', identityToken: undefined, registryToken: undefined },
    },
  ]);
});

test('a secret of type dockercfg has no auths around its entries', () => {
  const json = JSON.stringify({ 'https://reg.example': { auth: base64('u:p:with:colons') } });
  const [entry] = entriesOfSecret({ type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64(json) } });
  assert.equal(entry?.credential.password, 'p:with:colons');
});

test('tokens are taken as they are', () => {
  const [entry] = entriesOfConfig({ auths: { r: { identitytoken: 'refresh', auth: base64('<token>:') } } });
  assert.equal(entry?.credential.identityToken, 'refresh');
});

test('what cannot be read is no entry', () => {
  const type = 'kubernetes.io/dockerconfigjson';
  assert.deepEqual(entriesOfSecret({ type, data: { '.dockerconfigjson': base64('{') } }), []);
  assert.deepEqual(entriesOfSecret({ type, data: {} }), []);
  assert.deepEqual(entriesOfSecret({ type: 'Opaque', data: { '.dockerconfigjson': base64('{}') } }), []);
  assert.deepEqual(entriesOfConfig({ auths: { r: {}, s: null, t: { auth: 'bm9jb2xvbg==' } } }), []);
});

test('a hostile pattern costs nothing', () => {
  const host = `${'a'.repeat(60)}b`;
  assert.deepEqual(chosen(`${host}.example/a`, { [`${'*a'.repeat(30)}*c.example`]: 'u' }), []);
});
