/**
 * A reboot, as far as one can be played on a running machine: every process is gone, no mount, no network and no control
 * group is left, what was in memory is forgotten; the disk is as it was.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { PlatformSettings } from '#protocol/platform.ts';
import { removeNetwork } from '#runtime/network/cleanup.ts';
import { detectCgroups } from '#sys/cgroup-layout.ts';
import { killCgroup, removeCgroup } from '#sys/cgroup.ts';
import { unmountBelow } from '#sys/mounts.ts';
import { eventually } from '#testing/eventually.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, podsOf } from '#testing/service.ts';

const real = needs('root', 'runc', 'compiler');
const wait = { clock: systemClock, signal: new AbortController().signal };

async function reboot(platform: TestPlatform): Promise<void> {
  const { paths } = platform;
  const settings = JSON.parse(readFileSync(paths.config, 'utf8')) as PlatformSettings;
  await platform.killEverything();
  const layout = detectCgroups();
  assert.ok(layout);
  await killCgroup(layout, `/${settings.cgroup}`, wait);
  await removeCgroup(layout, `/${settings.cgroup}`, wait);
  await removeNetwork({ ...settings, netnsDir: paths.netns, clock: systemClock }, wait.signal);
  unmountBelow(paths.root);
  assert.deepEqual(readdirSync(paths.run), [], 'what was in memory is forgotten');
}

test('Services come back: those with a minimum by themselves, the others from zero', real, async () => {
  await using platform = await TestPlatform.start();
  const steady = await deploy(platform, 'steady', { annotations: { 'autoscaling.knative.dev/min-scale': '1' } });
  const idle = await deploy(platform, 'idle');
  const before = await podsOf(platform, 'steady');
  await reboot(platform);
  await platform.up();
  const pods = await eventually(
    async () => {
      const found = await podsOf(platform, 'steady');
      return found.length === 1 && isReady(found[0]) ? found : undefined;
    },
    { timeoutMs: 20_000, what: 'the Service with a minimum runs' },
  );
  const [pod] = pods;
  assert.equal(pod?.metadata.uid, before[0]?.metadata.uid, 'the same pod');
  assert.equal(pod?.status?.containerStatuses?.[0]?.restartCount, 1);
  for (const url of [steady, idle]) {
    const answer = await eventually(async () => {
      const found = await platform.get(url.replace(/:\d+$/, ''));
      return found.status === 200 ? found : undefined;
    });
    assert.match(answer.body, /hello|steady|idle/i);
  }
});

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
