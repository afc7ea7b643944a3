import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { cgroupProcesses, cgroupUsage, freezeCgroup, killCgroup, removeCgroup, thawCgroup } from '#sys/cgroup.ts';
import { cgroupFolders, detectCgroups } from '#sys/cgroup-layout.ts';
import { processStat } from '#sys/proc.ts';
import { eventually } from '#testing/eventually.ts';

const layout = detectCgroups()!;
const GROUP = `/pinnace-test-${process.pid}`;
const INNER = `${GROUP}/inner`;
let spinning = 0;
const wait = { clock: systemClock, signal: new AbortController().signal };

after(async () => {
  await killCgroup(layout, GROUP, wait);
  await removeCgroup(layout, GROUP, wait);
});

/** A process in the inner group of every tree; cpuset groups need processors first, so they are left out. */
function spawnInside(command: string): number {
  const child = spawn('sh', ['-c', `read _; ${command}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  for (const folder of cgroupFolders(layout, INNER)) {
    if (folder.includes('cpuset')) continue;
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'cgroup.procs'), String(child.pid));
  }
  child.stdin.end('\n');
  child.unref();
  return child.pid!;
}

test('a group that does not exist is empty, and neither stops nor dies', async () => {
  assert.deepEqual(cgroupProcesses(layout, '/no-such-group'), []);
  assert.equal(cgroupUsage(layout, '/no-such-group'), undefined);
  await freezeCgroup(layout, '/no-such-group', wait);
  thawCgroup(layout, '/no-such-group');
  await killCgroup(layout, '/no-such-group', wait);
  await removeCgroup(layout, '/no-such-group', wait);
});

test('a group’s processes and usage are those of all groups below', async () => {
  spinning = spawnInside('x=$(head -c 4000000 /dev/zero | tr "\\0" x); while :; do :; done');
  assert.ok(cgroupProcesses(layout, GROUP).includes(spinning));
  const used = await eventually(() => {
    const usage = cgroupUsage(layout, INNER);
    return usage && usage.cpuNanoseconds > 10_000_000 && usage.memoryBytes > 0 ? usage : undefined;
  });
  assert.ok(used.memoryBytes > 1_000_000);
  assert.ok(used.workingSetBytes <= used.memoryBytes);
  assert.equal(used.oomKills, 0);
});

test('a frozen group uses no processor time until it is thawed', async () => {
  await freezeCgroup(layout, GROUP, wait);
  const before = cgroupUsage(layout, INNER)!.cpuNanoseconds;
  await eventually(() => processStat(spinning)?.state !== 'R');
  const later = systemClock.monotonicMs() + 30;
  await eventually(() => systemClock.monotonicMs() > later);
  assert.ok(cgroupUsage(layout, INNER)!.cpuNanoseconds - before < 2_000_000);
  thawCgroup(layout, GROUP);
  await eventually(() => cgroupUsage(layout, INNER)!.cpuNanoseconds - before > 20_000_000);
});

test('frozen and forking processes are killed alike, and the group is removed', async () => {
  const forking = spawnInside('while :; do sleep 0.01 & done');
  await eventually(() => cgroupProcesses(layout, GROUP).length > 3);
  await freezeCgroup(layout, GROUP, wait);
  await killCgroup(layout, GROUP, wait);
  assert.deepEqual(cgroupProcesses(layout, GROUP), []);
  assert.notEqual(processStat(forking)?.state, 'R');
  await removeCgroup(layout, GROUP, wait);
  assert.ok(cgroupFolders(layout, GROUP).every((folder) => !existsSync(folder)));
});
