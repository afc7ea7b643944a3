import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isImageError } from '#runtime/image/errors.ts';
import { type ImageIndex, parseManifest } from '#runtime/image/manifest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
} from '#runtime/image/media-types.ts';
import { selectManifest } from '#runtime/image/platform.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const config = { mediaType: OCI_CONFIG, digest: digest('c'), size: 10 };
const layer = { mediaType: `${OCI_LAYER}+gzip`, digest: digest('1'), size: 20 };
const good = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test('an image manifest', () => {
  assert.deepEqual(parseManifest(bytes(good), 'text/plain'), {
    kind: 'manifest',
    mediaType: OCI_MANIFEST,
    config,
    layers: [layer],
  });
});

test('the media type comes from the header when the manifest has none', () => {
  const { mediaType: _own, ...bare } = good;
  assert.equal(parseManifest(bytes(bare), `${OCI_MANIFEST}; charset=utf-8`).kind, 'manifest');
  assert.equal(parseManifest(bytes(bare), 'application/json').mediaType, OCI_MANIFEST);
  assert.equal(parseManifest(bytes({ schemaVersion: 2, manifests: [] }), '').mediaType, OCI_INDEX);
});

const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

test('a manifest of Docker', () => {
  const docker = { ...good, mediaType: DOCKER_MANIFEST, config: { ...config, mediaType: DOCKER_CONFIG } };
  const parsed = parseManifest(bytes({ ...docker, layers: [{ ...layer, mediaType: DOCKER_LAYER }] }), DOCKER_MANIFEST);
  assert.equal(parsed.kind, 'manifest');
});

const REFUSED: readonly [what: string, value: unknown, code: string, text: RegExp][] = [
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'UnsupportedMediaType', /schema 1\) is no longer supported/],
  ['no JSON', 'x', 'MalformedImage', /not a JSON object/],
  ['another type', { mediaType: 'application/x' }, 'UnsupportedMediaType', /"application\/x"/],
  ['no layers', { ...good, layers: undefined }, 'MalformedImage', /layers is not a list/],
  ['both', { ...good, manifests: [] }, 'MalformedImage', /beside/],
  [
    'an artifact',
    { ...good, config: { ...config, mediaType: 'application/vnd.oci.empty.v1+json' } },
    'UnsupportedMediaType',
    /not a container image/,
  ],
  [
    'an encrypted layer',
    { ...good, layers: [{ ...layer, mediaType: `${OCI_LAYER}+encrypted` }] },
    'UnsupportedMediaType',
    /layers\[0\]/,
  ],
  ['a bad digest', { ...good, layers: [{ ...layer, digest: 'sha256:../../x' }] }, 'MalformedImage', /invalid digest/],
  ['a negative size', { ...good, layers: [{ ...layer, size: -1 }] }, 'MalformedImage', /invalid size/],
  ['too many layers', { ...good, layers: Array.from({ length: 128 }, () => layer) }, 'LimitExceeded', /128 layers/],
  ['too large', { ...good, layers: [{ ...layer, size: 2 ** 40 }] }, 'LimitExceeded', /bytes exceeds/],
  ['a huge configuration', { ...good, config: { ...config, size: 2 ** 30 } }, 'LimitExceeded', /configuration/],
];

for (const [what, value, code, text] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parseManifest(bytes(value), OCI_MANIFEST),
      (error) => isImageError(error) && error.code === code && text.test(error.message),
    );
  });
}

test('refused: an oversized manifest, before it is parsed', () => {
  assert.throws(() => parseManifest(Buffer.alloc(5 * 2 ** 20), OCI_MANIFEST), { code: 'LimitExceeded' });
});

function index(...platforms: (object | undefined)[]): ImageIndex {
  const manifests = platforms.map((platform, at) => ({
    mediaType: OCI_MANIFEST,
    digest: digest(String(at)),
    size: 1,
    ...(platform ? { platform } : {}),
  }));
  const parsed = parseManifest(bytes({ schemaVersion: 2, mediaType: DOCKER_LIST, manifests }), '');
  assert.equal(parsed.kind, 'index');
  return parsed;
}

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant });
const unknown = { os: 'unknown', architecture: 'unknown' };

const SELECTED: readonly [
  what: string,
  wanted: { os: string; architecture: string; variant?: string },
  has: (object | undefined)[],
  at: number,
][] = [
  ['by architecture', arm64, [amd64, arm64], 1],
  ['not Windows', amd64, [{ os: 'windows', architecture: 'amd64' }, amd64], 1],
  ['no attestation', amd64, [unknown, amd64], 1],
  ['arm64 without a variant is v8', arm64, [{ os: 'linux', architecture: 'arm64' }], 0],
  ['amd64 rather than its newer variant', amd64, [{ ...amd64, variant: 'v3' }, amd64], 1],
  ['the same ARM variant first', arm('v7'), [arm('v6'), arm('v7')], 1],
  ['else the newest older ARM variant', arm('v7'), [arm('v5'), arm('v6'), arm('v8')], 1],
  ['an entry without a platform as the last resort', amd64, [arm64, undefined], 1],
];

for (const [what, wanted, has, at] of SELECTED) {
  test(`platform: ${what}`, () => assert.equal(selectManifest(index(...has), wanted).digest, digest(String(at))));
}

test('platform: none', () => {
  assert.throws(() => selectManifest(index(arm64, unknown), amd64), {
    code: 'NoMatchingPlatform',
    message: 'no match for platform in manifest: linux/amd64 wanted, has linux/arm64/v8, unknown/unknown',
  });
});
