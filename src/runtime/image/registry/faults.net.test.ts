/** The registry client over a network that misbehaves, in front of a real registry. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { type Digest, Digester } from '#runtime/image/digest.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { BODY_IDLE_TIMEOUT_MS, MAX_ATTEMPTS, RESPONSE_TIMEOUT_MS } from '#runtime/image/limits.ts';
import { type Descriptor, parseManifest } from '#runtime/image/manifest.ts';
import { parseReference } from '#runtime/image/reference.ts';
import type { RegistryClient } from '#runtime/image/registry/client.ts';
import { downloadBlob } from '#runtime/image/registry/download.ts';
import type { Repository } from '#runtime/image/registry/repository.ts';
import { createRegistryClient } from '#runtime/image/registry/settings.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { type Fault, FaultyProxy, type SeenRequest } from '#testing/faulty-proxy.ts';
import { REGISTRY_PASSWORD, REGISTRY_USER, RegistryServer } from '#testing/registry.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { testImage, writeImages } from '../../../../test/images/build.ts';

const signal = new AbortController().signal;
const isBlob = ({ url }: SeenRequest) => url.includes('/blobs/');
const isManifest = ({ url }: SeenRequest) => url.includes('/manifests/');

function repositoryAt(host: string): Repository {
  const parsed = parseReference(`${host}/test/app:1`);
  assert.ok('reference' in parsed);
  return { reference: parsed.reference, credential: { username: REGISTRY_USER, password: REGISTRY_PASSWORD } };
}

/** Collects a blob and how often it began anew. */
class Collected {
  chunks: Buffer[] = [];
  resets = 0;
  write = async (chunk: Buffer) => void this.chunks.push(Buffer.from(chunk));
  reset = async () => {
    this.resets += 1;
    this.chunks = [];
  };

  digest(): Digest {
    const digester = new Digester();
    for (const chunk of this.chunks) digester.update(chunk);
    return digester.finish();
  }
}

async function failureOf(promise: Promise<unknown>): Promise<ImageError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ImageError, String(error));
  return error;
}

describe('the registry client over a bad network', needs('docker-registry', 'skopeo', 'compiler'), () => {
  let folder: TemporaryFolder;
  let registry: RegistryServer;
  let layer: Descriptor;

  before(async () => {
    folder = new TemporaryFolder();
    const archive = folder.at('app.tar');
    await writeImages(archive, [testImage('test/app:1', ['docker.io/test/app:1'])]);
    registry = await RegistryServer.start({ folder: folder.at('registry'), auth: 'password' });
    const credentials = ['--dest-creds', `${REGISTRY_USER}:${REGISTRY_PASSWORD}`];
    await registry.push(`oci-archive:${archive}:docker.io/test/app:1`, 'test/app:1', credentials);
    using client = createRegistryClient({}, systemClock);
    const { bytes, mediaType } = await client.manifest(repositoryAt(registry.host), signal);
    const manifest = parseManifest(bytes, mediaType);
    assert.ok(manifest.kind === 'manifest' && manifest.layers[0]);
    [layer] = manifest.layers as [Descriptor];
  });

  after(async () => {
    await registry[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** A client of its own with a clock that stands still unless it is advanced: pauses cost no time. */
  async function through(
    fault: (request: SeenRequest, earlier: number) => Fault | undefined,
    use: (world: { client: RegistryClient; name: Repository; proxy: FaultyProxy; clock: FakeClock }) => Promise<void>,
  ): Promise<void> {
    await using proxy = await FaultyProxy.start(registry.host, fault);
    const clock = new FakeClock();
    using client = createRegistryClient({}, clock);
    await use({ client, name: repositoryAt(proxy.host), proxy, clock });
  }

  /** Lets time pass until the promise settles: a retry's pause goes by as soon as it is begun. */
  async function hurried<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await eventually(async () => {
      if (!isSettled) await clock.advance(1_000);
      return isSettled;
    });
    return promise;
  }

  test('a blob whose connection breaks is taken up where it ended', async () => {
    const fault = (request: SeenRequest, earlier: number): Fault | undefined =>
      isBlob(request) && earlier < 4 && request.headers.authorization !== undefined
        ? { kind: 'cut', afterBytes: 100_000 }
        : undefined;
    await through(fault, async ({ client, name, proxy, clock }) => {
      const sink = new Collected();
      const heard: number[] = [];
      await hurried(
        clock,
        downloadBlob(
          { client, repository: name, descriptor: layer, sink, onProgress: (bytes) => heard.push(bytes) },
          signal,
        ),
      );
      assert.equal(sink.digest(), layer.digest);
      assert.equal(sink.resets, 0);
      const ranges = proxy.seen.filter(isBlob).flatMap(({ headers }) => headers.range ?? []);
      assert.ok(ranges.length >= 3, String(ranges));
      assert.match(ranges[0] ?? '', /^bytes=\d+-$/);
      assert.deepEqual(
        heard,
        heard.toSorted((a, b) => a - b),
      );
    });
  });

  test('a server that ignores ranges makes it begin anew', async () => {
    let cuts = 0;
    const fault = (request: SeenRequest): Fault | undefined => {
      if (!isBlob(request) || request.headers.authorization === undefined) return undefined;
      cuts += 1;
      return cuts === 1 ? { kind: 'cut', afterBytes: 50_000 } : { kind: 'strip', headers: ['range'] };
    };
    await through(fault, async ({ client, name, clock }) => {
      const sink = new Collected();
      await hurried(clock, downloadBlob({ client, repository: name, descriptor: layer, sink }, signal));
      assert.deepEqual([sink.digest(), sink.resets], [layer.digest, 1]);
    });
  });

  test('without any progress it gives up', async () => {
    await through(
      (request) => (isBlob(request) ? { kind: 'cut', afterBytes: 0 } : undefined),
      async ({ client, name, clock, proxy }) => {
        const download = downloadBlob({ client, repository: name, descriptor: layer, sink: new Collected() }, signal);
        const error = await hurried(clock, failureOf(download));
        assert.equal(error.code, 'ConnectionLost');
        assert.ok(proxy.seen.filter(isBlob).length <= MAX_ATTEMPTS ** 2 + 1);
      },
    );
  });

  test('other bytes than the digest promises', async () => {
    const body = 'x'.repeat(layer.size);
    const fault = (request: SeenRequest): Fault | undefined =>
      isBlob(request) ? { kind: 'answer', status: 200, body } : undefined;
    await through(fault, async ({ client, name }) => {
      const error = await failureOf(
        downloadBlob({ client, repository: name, descriptor: layer, sink: new Collected() }, signal),
      );
      assert.equal(error.code, 'DigestMismatch');
    });
  });

  for (const [what, length] of [
    ['more', 1],
    ['fewer', -1],
  ] as const) {
    test(`${what} bytes than promised`, async () => {
      const body = 'x'.repeat(layer.size + length);
      const fault = (request: SeenRequest): Fault | undefined =>
        isBlob(request) ? { kind: 'answer', status: 200, body } : undefined;
      await through(fault, async ({ client, name }) => {
        const error = await failureOf(
          downloadBlob({ client, repository: name, descriptor: layer, sink: new Collected() }, signal),
        );
        assert.equal(error.code, 'SizeMismatch');
      });
    });
  }

  test('a manifest that is not the one of its digest', async () => {
    const fault = (request: SeenRequest): Fault | undefined =>
      isManifest(request) ? { kind: 'answer', status: 200, body: '{}' } : undefined;
    await through(fault, async ({ client, name }) => {
      const reference = { ...name.reference, digest: layer.digest };
      assert.equal((await failureOf(client.manifest({ ...name, reference }, signal))).code, 'DigestMismatch');
    });
  });

  test('an endless manifest', async () => {
    const body = ' '.repeat(5 * 2 ** 20);
    await through(
      (request) => (isManifest(request) ? { kind: 'answer', status: 200, body } : undefined),
      async ({ client, name }) => {
        assert.equal((await failureOf(client.manifest(name, signal))).code, 'LimitExceeded');
      },
    );
  });

  test('a registry that does not know HEAD, and one that names no digest', async () => {
    const faults: Fault[] = [
      { kind: 'answer', status: 405 },
      { kind: 'strip', headers: ['docker-content-digest'] },
    ];
    for (const fault of faults) {
      await through(
        (request) => (request.method === 'HEAD' ? fault : undefined),
        async ({ client, name }) => {
          assert.match(await client.resolve(name, signal), /^sha256:/);
        },
      );
    }
  });

  test('a registry that stumbles is asked again, one that fails is not asked forever', async () => {
    const stumbles = (request: SeenRequest, earlier: number): Fault | undefined =>
      isManifest(request) && earlier < 2 ? { kind: 'answer', status: 503 } : undefined;
    await through(stumbles, async ({ client, name, clock }) => {
      assert.match(await hurried(clock, client.resolve(name, signal)), /^sha256:/);
    });
    await through(
      () => ({ kind: 'answer', status: 500, body: 'oops' }),
      async ({ client, name, clock, proxy }) => {
        const error = await hurried(clock, failureOf(client.resolve(name, signal)));
        assert.deepEqual([error.code, proxy.seen.length], ['RegistryFailed', MAX_ATTEMPTS]);
      },
    );
  });

  test('a limit of requests: waits as long as the registry asks, if that is not long', async () => {
    const limited =
      (after: string) =>
      (request: SeenRequest, earlier: number): Fault | undefined =>
        isManifest(request) && earlier === 0
          ? { kind: 'answer', status: 429, headers: { 'retry-after': after } }
          : undefined;
    await through(limited('5'), async ({ client, name, clock }) => {
      const started = clock.now();
      await hurried(clock, client.resolve(name, signal));
      assert.ok(clock.now() - started >= 5_000);
    });
    const body = JSON.stringify({
      errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }],
    });
    await through(
      () => ({ kind: 'answer', status: 429, headers: { 'retry-after': '3600' }, body }),
      async ({ client, name }) => {
        const error = await failureOf(client.manifest(name, signal));
        assert.equal(error.code, 'RateLimited');
        assert.match(
          error.message,
          /: 429 Too Many Requests: toomanyrequests: You have reached your pull rate limit\.$/,
        );
      },
    );
  });

  test('credentials do not follow to another host, but do to the same', async () => {
    await using elsewhere = await FaultyProxy.start(registry.host, () => ({ kind: 'answer', status: 404 }));
    const away = (request: SeenRequest): Fault | undefined =>
      isBlob(request) && request.headers.authorization !== undefined
        ? { kind: 'answer', status: 307, headers: { location: `http://${elsewhere.host}/storage?signature=1` } }
        : undefined;
    await through(away, async ({ client, name }) => {
      const error = await failureOf(
        downloadBlob({ client, repository: name, descriptor: layer, sink: new Collected() }, signal),
      );
      assert.equal(error.code, 'NotFound');
      assert.deepEqual(
        elsewhere.seen.map(({ headers }) => headers.authorization),
        [undefined],
      );
    });
    const within = (request: SeenRequest): Fault | undefined =>
      isBlob(request) && request.headers.authorization !== undefined && !request.url.includes('?')
        ? { kind: 'answer', status: 307, headers: { location: `${request.url}?again` } }
        : undefined;
    await through(within, async ({ client, name }) => {
      const sink = new Collected();
      await downloadBlob({ client, repository: name, descriptor: layer, sink }, signal);
      assert.equal(sink.digest(), layer.digest);
    });
  });

  test('redirects without end', async () => {
    const fault = ({ url }: SeenRequest): Fault => ({ kind: 'answer', status: 307, headers: { location: url } });
    await through(fault, async ({ client, name }) => {
      const error = await failureOf(client.resolve(name, signal));
      assert.match(error.message, /stopped after 10 redirects$/);
    });
  });

  test('a registry that never answers', async () => {
    await through(
      () => ({ kind: 'silence' }),
      async ({ client, name, clock, proxy }) => {
        const failure = failureOf(client.resolve(name, signal));
        for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
          await eventually(() => proxy.seen.length === attempt);
          await clock.advance(RESPONSE_TIMEOUT_MS);
          await eventually(async () => {
            await clock.advance(1_000);
            return proxy.seen.length > attempt || attempt === MAX_ATTEMPTS;
          });
        }
        assert.equal((await failure).code, 'Timeout');
      },
    );
  });

  test('an abort ends a request at once', async () => {
    await through(
      () => ({ kind: 'silence' }),
      async ({ client, name, proxy }) => {
        const controller = new AbortController();
        const reason = new Error('enough');
        const resolving = client.resolve(name, controller.signal);
        await eventually(() => proxy.seen.length === 1);
        controller.abort(reason);
        await assert.rejects(resolving, reason);
      },
    );
  });

  test('a body that falls silent is asked for again', async () => {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.writeHead(200, { 'content-length': layer.size }).write('x');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const clock = new FakeClock();
    using client = createRegistryClient({}, clock);
    const sink = new Collected();
    const controller = new AbortController();
    const download = downloadBlob(
      { client, repository: repositoryAt(`127.0.0.1:${port}`), descriptor: layer, sink },
      controller.signal,
    );
    const failure = download.catch((error: unknown) => error);
    await eventually(() => sink.chunks.length === 1);
    await clock.advance(BODY_IDLE_TIMEOUT_MS - 1);
    assert.equal(requests, 1);
    await eventually(async () => {
      await clock.advance(1_000);
      return requests === 2 && sink.resets === 1;
    });
    const reason = new Error('enough');
    controller.abort(reason);
    assert.equal(await failure, reason);
    server.closeAllConnections();
    server.close();
  });
});
