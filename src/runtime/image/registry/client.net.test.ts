/** The registry client against Debian's docker-registry, with images that skopeo pushed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import type { RegistryCredential } from '#runtime/image/credentials.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { parseManifest } from '#runtime/image/manifest.ts';
import { digestResolutionText } from '#runtime/image/pull-messages.ts';
import { parseReference } from '#runtime/image/reference.ts';
import type { RegistryClient } from '#runtime/image/registry/client.ts';
import { downloadBlob } from '#runtime/image/registry/download.ts';
import type { Repository } from '#runtime/image/registry/repository.ts';
import { createRegistryClient, type RegistrySettings } from '#runtime/image/registry/settings.ts';
import {
  makeCertificates,
  REGISTRY_PASSWORD,
  REGISTRY_USER,
  RegistryServer,
  type TestCertificates,
} from '#testing/registry.ts';
import { FaultyProxy } from '#testing/faulty-proxy.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { REFRESH_TOKEN, TOKEN_ISSUER, TOKEN_SERVICE, TokenServer } from '#testing/token-server.ts';
import { testImage, writeImages } from '../../../../test/images/build.ts';

const NEEDED = needs('docker-registry', 'skopeo', 'openssl', 'compiler');
const signal = new AbortController().signal;
const PASSWORD: RegistryCredential = { username: REGISTRY_USER, password: REGISTRY_PASSWORD };
const WRONG: RegistryCredential = { username: REGISTRY_USER, password: 'wrong' };

function repository(name: string, credential?: RegistryCredential): Repository {
  const parsed = parseReference(name);
  assert.ok('reference' in parsed, name);
  return { reference: parsed.reference, credential };
}

async function withClient<T>(settings: RegistrySettings, use: (client: RegistryClient) => Promise<T>): Promise<T> {
  using client = createRegistryClient(settings, systemClock);
  return await use(client);
}

const resolve = (name: string, credential?: RegistryCredential, settings: RegistrySettings = {}) =>
  withClient(settings, (client) => client.resolve(repository(name, credential), signal));

async function failureOf(promise: Promise<unknown>): Promise<ImageError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ImageError, String(error));
  return error;
}

describe('the registry client', NEEDED, () => {
  let folder: TemporaryFolder;
  let archive: string;
  let certificates: TestCertificates;
  let open: RegistryServer;

  before(async () => {
    folder = new TemporaryFolder();
    archive = folder.at('app.tar');
    await writeImages(archive, [testImage('test/app:1', ['docker.io/test/app:1'])]);
    certificates = await makeCertificates(folder.path, ['registry.test', '127.0.0.1']);
    open = await RegistryServer.start({ folder: folder.at('open') });
    await open.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:1');
    await open.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:docker', ['--format', 'v2s2']);
    await open.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:old', ['--format', 'v2s1']);
  });

  after(async () => {
    await open[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  test('a tag becomes a digest, without TLS on the loopback', async () => {
    assert.match(await resolve(`${open.host}/test/app:1`), /^sha256:[0-9a-f]{64}$/);
  });

  test('manifests of OCI and of Docker; the bytes have the digest', async () => {
    await withClient({}, async (client) => {
      for (const tag of ['1', 'docker']) {
        const name = repository(`${open.host}/test/app:${tag}`);
        const { bytes, digest, mediaType } = await client.manifest(name, signal);
        assert.equal(digest, await client.resolve(name, signal));
        assert.equal(parseManifest(bytes, mediaType).kind, 'manifest');
        const again = await client.manifest(repository(`${open.host}/test/app@${digest}`), signal);
        assert.deepEqual(again.bytes, bytes);
      }
    });
  });

  test('schema 1 is refused with words that help', async () => {
    const old = repository(`${open.host}/test/app:old`);
    const error = await failureOf(withClient({}, (client) => client.manifest(old, signal)));
    assert.equal(error.code, 'UnsupportedMediaType');
    assert.match(
      error.message,
      /^media type "application.*" \(Docker schema 1\) is no longer supported, please rebuild/,
    );
  });

  test('a blob arrives whole and in order', async () => {
    await withClient({}, async (client) => {
      const name = repository(`${open.host}/test/app:1`);
      const { bytes, mediaType } = await client.manifest(name, signal);
      const manifest = parseManifest(bytes, mediaType);
      assert.ok(manifest.kind === 'manifest' && manifest.layers[0]);
      const [descriptor] = manifest.layers;
      let size = 0;
      const sink = {
        write: async (chunk: Buffer) => void (size += chunk.length),
        reset: () => Promise.reject(new Error('no reset expected')),
      };
      await downloadBlob({ client, repository: name, descriptor, sink }, signal);
      assert.equal(size, descriptor.size);
      const wrong = { ...descriptor, digest: `sha256:${'0'.repeat(64)}` } as const;
      assert.equal(
        (await failureOf(downloadBlob({ client, repository: name, descriptor: wrong, sink }, signal))).code,
        'NotFound',
      );
    });
  });

  test('what is not there', async () => {
    const tag = await failureOf(resolve(`${open.host}/test/app:none`));
    assert.deepEqual([tag.code, tag.message], ['NotFound', `${open.host}/test/app:none: not found`]);
    assert.equal(
      digestResolutionText(tag),
      `HEAD http://${open.host}/v2/test/app/manifests/none: unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)`,
    );
    assert.equal((await failureOf(resolve(`${open.host}/no/such:1`))).code, 'NotFound');
  });

  test('nobody listens', async () => {
    const error = await failureOf(resolve('127.0.0.1:1/test/app:1'));
    assert.equal(error.code, 'Unreachable');
    assert.match(
      error.message,
      /^failed to do request: Head "https?:\/\/127\.0\.0\.1:1\/v2\/test\/app\/manifests\/1": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    );
    assert.match(
      digestResolutionText(error),
      /^Get "https?:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    );
  });

  test('a proxy is used for other machines, never for this one', async () => {
    await using proxy = await FaultyProxy.start(open.host, () => undefined);
    const proxyEnv = { http_proxy: `http://${proxy.host}`, https_proxy: 'http://127.0.0.1:1' };
    assert.match(await resolve(`${open.host}/test/app:1`, undefined, { proxyEnv }), /^sha256:/);
    assert.equal(proxy.seen.length, 0);
    const elsewhere = { proxyEnv, insecureRegistries: ['registry.test:80'] };
    assert.match(await resolve('registry.test:80/test/app:1', undefined, elsewhere), /^sha256:/);
    assert.equal(proxy.seen[0]?.url, 'http://registry.test/v2/test/app/manifests/1');
  });

  test('a host that does not exist', async () => {
    const error = await failureOf(resolve('registry.invalid/test/app:1'));
    assert.equal(error.code, 'Unreachable');
    assert.match(
      error.message,
      /dial tcp: lookup registry\.invalid: (no such host|Temporary failure in name resolution)$/,
    );
  });

  test('a registry with a password', async () => {
    await using registry = await RegistryServer.start({ folder: folder.at('password'), auth: 'password' });
    const name = `${registry.host}/test/app:1`;
    await registry.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:1', [
      '--dest-creds',
      `${REGISTRY_USER}:${REGISTRY_PASSWORD}`,
    ]);
    assert.match(await resolve(name, PASSWORD), /^sha256:/);
    const anonymous = await failureOf(resolve(name));
    assert.deepEqual(
      [anonymous.code, anonymous.message],
      [
        'AccessDenied',
        'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
      ],
    );
    assert.match(
      digestResolutionText(anonymous),
      /: unexpected status code 401 Unauthorized \(HEAD responses have no body, use GET for details\)$/,
    );
    const wrong = await failureOf(resolve(name, WRONG));
    assert.equal(wrong.code, 'AccessDenied');
    assert.match(wrong.message, /^unexpected status from HEAD request to http:.*: 401 Unauthorized$/);
  });

  test('TLS with an authority of its own', async () => {
    const tls = { certificate: certificates.certificate, key: certificates.key };
    await using registry = await RegistryServer.start({ folder: folder.at('tls'), tls });
    await registry.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:1');
    const settings = { hostAddresses: { 'registry.test': '127.0.0.1', 'other.test': '127.0.0.1' } };
    const trusting = { ...settings, extraAuthorities: [certificates.authority] };
    const name = `registry.test:${registry.port}/test/app:1`;
    assert.match(await resolve(name, undefined, trusting), /^sha256:/);
    const untrusted = await failureOf(resolve(name, undefined, settings));
    assert.equal(untrusted.code, 'Tls');
    assert.match(
      untrusted.message,
      /tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    );
    const misnamed = await failureOf(resolve(name.replace('registry.', 'other.'), undefined, trusting));
    assert.match(misnamed.message, /x509: certificate is valid for registry\.test, 127\.0\.0\.1, not other\.test$/);
    const insecure = { ...settings, insecureRegistries: [`registry.test:${registry.port}`] };
    assert.match(await resolve(name, undefined, insecure), /^sha256:/);
    assert.match(await resolve(`${registry.host}/test/app:1`), /^sha256:/);
  });

  test('plain HTTP where TLS is required', async () => {
    const settings = { hostAddresses: { 'registry.test': '127.0.0.1' } };
    const error = await failureOf(resolve(`registry.test:${open.port}/test/app:1`, undefined, settings));
    assert.equal(error.code, 'Tls');
    assert.ok(error.message.endsWith('http: server gave HTTP response to HTTPS client'), error.message);
    const insecure = { ...settings, insecureRegistries: ['registry.test'] };
    assert.match(await resolve(`registry.test:${open.port}/test/app:1`, undefined, insecure), /^sha256:/);
  });

  describe('with bearer tokens', () => {
    async function tokenRegistry(options: Partial<Parameters<typeof TokenServer.start>[0]> = {}) {
      const { certificate, key, authorityFile } = certificates;
      const tokens = await TokenServer.start({ certificate, key, ...options });
      const auth = { realm: tokens.realm, service: TOKEN_SERVICE, issuer: TOKEN_ISSUER, certificate: authorityFile };
      const registry = await RegistryServer.start({ folder: folder.at('token'), auth });
      await registry.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:1', [
        '--dest-creds',
        `${REGISTRY_USER}:${REGISTRY_PASSWORD}`,
      ]);
      tokens.seen.length = 0;
      return {
        tokens,
        registry,
        name: `${registry.host}/test/app:1`,
        close: async () => {
          await registry[Symbol.asyncDispose]();
          await tokens[Symbol.asyncDispose]();
        },
      };
    }

    // skopeo asks for tokens by POST when GET is refused, so its push works in either case.
    test('a user and password, by GET; the token is used again', async () => {
      const { tokens, name, close } = await tokenRegistry({ expiresInSeconds: 300 });
      try {
        await withClient({}, async (client) => {
          const wanted = repository(name, PASSWORD);
          await client.resolve(wanted, signal);
          await client.manifest(wanted, signal);
          await client.resolve(wanted, signal);
        });
        assert.equal(tokens.seen.length, 1);
        const [asked] = tokens.seen;
        assert.deepEqual(
          [asked?.method, asked?.query.get('service'), asked?.query.get('scope')],
          ['GET', TOKEN_SERVICE, 'repository:test/app:pull'],
        );
        assert.ok(asked?.authorization?.startsWith('Basic '));
      } finally {
        await close();
      }
    });

    test('a refresh token, by POST', async () => {
      const { tokens, name, close } = await tokenRegistry();
      try {
        assert.match(await resolve(name, { identityToken: REFRESH_TOKEN }), /^sha256:/);
        const [asked] = tokens.seen;
        assert.deepEqual(
          [asked?.method, asked?.form.get('grant_type'), asked?.form.get('refresh_token')],
          ['POST', 'refresh_token', REFRESH_TOKEN],
        );
        const wrong = await failureOf(resolve(name, { identityToken: 'stale' }));
        assert.equal(wrong.code, 'AccessDenied');
        assert.match(
          wrong.message,
          /^failed to authorize: failed to fetch oauth token: unexpected status from POST request to http.*: 401 Unauthorized: unauthorized: incorrect username or password$/,
        );
      } finally {
        await close();
      }
    });

    test('anybody, where the service lets anybody in', async () => {
      const { name, tokens, close } = await tokenRegistry({ publicRepositories: ['test/app'] });
      try {
        assert.match(await resolve(name), /^sha256:/);
        assert.equal(tokens.seen[0]?.authorization, undefined);
      } finally {
        await close();
      }
    });

    test('a token that gives no right to pull', async () => {
      const { name, close } = await tokenRegistry();
      try {
        const error = await failureOf(resolve(name));
        assert.deepEqual(
          [error.code, error.message],
          [
            'AccessDenied',
            'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
          ],
        );
        const wrong = await failureOf(resolve(name, WRONG));
        assert.match(wrong.message, /^failed to authorize: failed to fetch oauth token: .*401 Unauthorized/);
        assert.match(
          digestResolutionText(wrong),
          /^GET http:.*\/token\?scope=.*: UNAUTHORIZED: incorrect username or password$/,
        );
      } finally {
        await close();
      }
    });
  });
});
