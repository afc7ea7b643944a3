import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { tokenMode, tokenOwner } from '#runtime/volumes/token-owner.ts';
import { pod } from '#testing/objects.ts';

const container = (runAsUser?: number) => ({ name: 'c', image: 'i', securityContext: { runAsUser } });

const rows: Record<string, [spec: Partial<Pod['spec']>, owner: number | undefined, mode: number]> = {
  'nothing is said': [{ containers: [container()] }, undefined, 0o644],
  'a group': [{ containers: [container()], securityContext: { fsGroup: 7 } }, undefined, 0o600],
  'one user': [{ containers: [container(1000), container(1000)] }, 1000, 0o600],
  "the pod's user": [{ containers: [container(), container()], securityContext: { runAsUser: 1000 } }, 1000, 0o600],
  'two users': [{ containers: [container(1000), container(1001)] }, undefined, 0o644],
  'one says nothing': [{ containers: [container(1000), container()] }, undefined, 0o644],
  'an init container of another user': [
    { containers: [container(1000)], initContainers: [container(0)] },
    undefined,
    0o644,
  ],
};

for (const [name, [spec, owner, mode]] of Object.entries(rows)) {
  test(`who may read a token: ${name}`, () => {
    const made = pod({ name: 'web' });
    const it = { ...made, spec: { ...made.spec, ...spec } };
    assert.deepEqual([tokenOwner(it), tokenMode(it, 0o644)], [owner, mode]);
  });
}
