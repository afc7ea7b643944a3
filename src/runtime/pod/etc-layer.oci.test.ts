import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeEtcLayer } from '#runtime/pod/etc-layer.ts';
import { mknod } from '#sys/fs.ts';
import { pod } from '#testing/objects.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const real = needs('root');
const env = {
  resolvConf: (namespace: string) => `search ${namespace}\n`,
  apiHost: { address: '10.0.16.1', names: ['kubernetes', 'kubernetes.default'] },
};

/** Layers from the uppermost down, each made by a function that gets its folder. */
function etcOf(folder: string, ...layers: ((layer: string) => void)[]) {
  const imageLayers = layers.map((make, index) => {
    const layer = path.join(folder, String(index));
    mkdirSync(layer);
    make(layer);
    return layer;
  });
  const p = pod({ name: 'web' });
  const hostAliases = [{ ip: '10.9.9.9', hostnames: ['a', 'b'] }];
  const request = { pod: { ...p, spec: { ...p.spec, hostAliases } }, address: '10.0.0.7', imageLayers };
  return makeEtcLayer(env, { ...request, folder: path.join(folder, 'etc-layer') });
}

const withEtc = (mode: number, owner: number) => (layer: string) => {
  const etc = path.join(layer, 'etc');
  mkdirSync(etc);
  chownSync(etc, owner, owner);
  chmodSync(etc, mode);
};
const without = () => undefined;

test('the layer says who the pod is, and its /etc looks like the one of the uppermost layer that has one', real, () => {
  using folder = new TemporaryFolder('pinnace-etc-');
  const { layers, mounts } = etcOf(folder.path, without, withEtc(0o2750, 7), withEtc(0o700, 8));
  const etc = path.join(layers[0] ?? '', 'etc');
  const { mode, uid, gid } = statSync(etc);
  assert.deepEqual([layers.length, mounts, mode & 0o7777, uid, gid], [1, [], 0o2750, 7, 7]);
  const text = (name: string) => readFileSync(path.join(etc, name), 'utf8');
  assert.deepEqual([text('hostname'), text('resolv.conf')], ['web\n', 'search a\n']);
  assert.match(
    text('hosts'),
    /^10\.0\.0\.7\tweb\n10\.0\.16\.1\tkubernetes\tkubernetes\.default\n10\.9\.9\.9\ta\tb\n$/m,
  );
});

test('an image that has no /etc, or has taken it away, gets one', real, () => {
  for (const layers of [
    [without],
    [(layer: string) => mknod(path.join(layer, 'etc'), 0o600, WHITEOUT), withEtc(0o700, 8)],
  ]) {
    using folder = new TemporaryFolder('pinnace-etc-');
    const made = etcOf(folder.path, ...layers);
    const { mode, uid } = statSync(path.join(made.layers[0] ?? '', 'etc'));
    assert.deepEqual([made.mounts, mode & 0o7777, uid], [[], 0o755, 0]);
  }
});

const WHITEOUT = { kind: 'character', major: 0, minor: 0 } as const;

test('an image whose /etc is no folder keeps it, and what a container may not fill is mounted', real, () => {
  const odd = [
    (layer: string) => symlinkSync('/elsewhere', path.join(layer, 'etc')),
    (layer: string) => writeFileSync(path.join(layer, 'etc'), ''),
  ];
  for (const make of odd) {
    using folder = new TemporaryFolder('pinnace-etc-');
    const { layers, mounts } = etcOf(folder.path, make, withEtc(0o755, 0));
    assert.deepEqual(layers, []);
    assert.deepEqual(
      mounts.map(({ destination, access }) => [destination, access]),
      [
        ['/etc/hostname', 'read-only'],
        ['/etc/hosts', 'read-only'],
        ['/etc/resolv.conf', 'read-only'],
      ],
    );
  }
});
