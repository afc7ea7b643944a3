import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fromPlain,
  ImageError,
  invalidImageName,
  neverPull,
  notFound,
  storageError,
  toPlain,
  within,
} from '#runtime/image/errors.ts';
import {
  backOffWaiting,
  digestResolutionText,
  failedEvent,
  goDuration,
  pulledEvent,
  waitingFor,
} from '#runtime/image/pull-messages.ts';

const missing = within('failed to pull and unpack image "docker.io/library/x:1"', notFound('docker.io/library/x:1'));

test('a missing image', () => {
  assert.deepEqual(waitingFor('x:1', missing), {
    reason: 'ErrImagePull',
    message:
      'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/x:1": docker.io/library/x:1: not found',
  });
});

test('a bad name', () => {
  assert.deepEqual(waitingFor('A', invalidImageName('A', 'invalid reference format')), {
    reason: 'InvalidImageName',
    message: 'Failed to apply default image tag "A": couldn\'t parse image name "A": invalid reference format',
  });
  assert.equal(failedEvent('A', invalidImageName('A', 'x')).reason, 'InspectFailed');
});

test('never pull', () => {
  assert.deepEqual(waitingFor('dev.local/none:1', neverPull('dev.local/none:1')), {
    reason: 'ErrImageNeverPull',
    message: 'Container image "dev.local/none:1" is not present with pull policy of Never',
  });
  assert.equal(failedEvent('a', neverPull('a')).reason, 'ErrImageNeverPull');
});

test('a registry that does not answer', () => {
  const error = new ImageError('Unreachable', 'dial tcp 127.0.0.1:1: connect: connection refused');
  assert.deepEqual(waitingFor('r:1/a', error), {
    reason: 'RegistryUnavailable',
    message:
      'image pull failed for r:1/a because the registry is unavailable: dial tcp 127.0.0.1:1: connect: connection refused',
  });
});

test('between attempts the last failure stays in sight', () => {
  assert.deepEqual(backOffWaiting('x', { reason: 'ErrImagePull', message: 'why' }), {
    reason: 'ImagePullBackOff',
    message: 'Back-off pulling image "x": ErrImagePull: why',
  });
});

test('a successful pull', () => {
  assert.equal(
    pulledEvent('x', { pulledMs: 1_234.5, waitedMs: 2_000, bytes: 77 }).message,
    'Successfully pulled image "x" in 1.234s (2s including waiting). Image size: 77 bytes.',
  );
});

const URL_OF = 'https://reg.example/v2/a/manifests/1';
const RESOLUTION: readonly [request: Parameters<typeof failure>[0], text: string][] = [
  [
    { method: 'HEAD', url: URL_OF, status: 404, statusText: 'Not Found' },
    `HEAD ${URL_OF}: unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)`,
  ],
  [
    {
      method: 'GET',
      url: URL_OF,
      status: 401,
      statusText: 'Unauthorized',
      diagnostics: [
        { code: 'UNAUTHORIZED', message: 'authentication required', detail: [{ Type: 'repository', Name: 'a' }] },
      ],
    },
    `GET ${URL_OF}: UNAUTHORIZED: authentication required; [map[Name:a Type:repository]]`,
  ],
  [
    { method: 'GET', url: URL_OF, status: 500, statusText: 'Internal Server Error', body: 'oops' },
    `GET ${URL_OF}: unexpected status code 500 Internal Server Error: oops`,
  ],
  [
    { method: 'HEAD', url: URL_OF, network: 'dial tcp: lookup reg.example: no such host' },
    'Get "https://reg.example/v2/": dial tcp: lookup reg.example: no such host',
  ],
];

function failure(request: NonNullable<ImageError['request']>): ImageError {
  return new ImageError('UnexpectedAnswer', 'x', { request });
}

for (const [request, text] of RESOLUTION) {
  test(`digest resolution: ${text.slice(0, 70)}`, () => assert.equal(digestResolutionText(failure(request)), text));
}

test('errors cross threads whole', () => {
  const error = new ImageError('RateLimited', 'slow down', { retryAfterMs: 5, request: { method: 'GET', url: 'u' } });
  const copy = fromPlain(structuredClone(toPlain(error)));
  assert.deepEqual(
    [copy.code, copy.message, copy.retryAfterMs, copy.request],
    ['RateLimited', 'slow down', 5, { method: 'GET', url: 'u' }],
  );
});

test('errors of the file system are named', () => {
  const full = storageError(Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' }));
  assert.deepEqual([full.code, full.message], ['StorageFailed', 'no space left on device (ENOSPC: write)']);
});

test('durations as Go prints them', () => {
  assert.deepEqual([0, 950, 1_200, 60_000, 63_050, 3_661_000].map(goDuration), [
    '0s',
    '950ms',
    '1.2s',
    '1m0s',
    '1m3.05s',
    '1h1m1s',
  ]);
});
