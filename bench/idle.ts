/**
 * What the platform costs while nothing happens, and how fast it is up.
 *
 * Method: `pinnace up --wait` on a state directory that was used before, `ROUNDS` times, from the start of the command
 * to its end. Then one Service at zero, a minute's rest, and the proportional set size (PSS) of all our processes as
 * /proc/PID/smaps_rollup has it, beside a bare Node of the same version.
 *
 *     node bench/idle.ts          (root, runc, a C compiler)
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemClock } from '#base/clock.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { eventually } from '#testing/eventually.ts';
import { SHORT_WINDOWS, TestPlatform } from '#testing/platform.ts';
import { deploy } from '#testing/service.ts';
import { median, report, say, summary } from './support/figures.ts';

const ROUNDS = 5;
const REST_MS = 60_000;
const UP_LIMIT_MS = 1_500;
const PSS_LIMIT_MB = 170;

await using platform = await TestPlatform.start({ config: SHORT_WINDOWS });
const upMs: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  await platform.down();
  const startedAt = performance.now();
  await platform.up();
  upMs.push(performance.now() - startedAt);
}
say(`up → ready:      ${summary(upMs)}`);

await deploy(platform, 'idle');
await eventually(async () => (await platform.client.list(Pod, { namespace: 'default' })).items.length === 0, {
  timeoutMs: 60_000,
  intervalMs: 100,
  what: 'the Service is at zero',
});
const rest = new AbortController();
await systemClock.sleep(REST_MS, rest.signal);
const { processes } = await platform.status();
const pss = processes.map(({ name, pid }) => ({ name, megabytes: pssOf(pid) }));
for (const { name, megabytes } of pss) say(`  ${name.padEnd(12)} ${megabytes.toFixed(1)} MB`);
say(`  bare Node    ${(await bareNode()).toFixed(1)} MB`);
const total = pss.reduce((sum, { megabytes }) => sum + megabytes, 0);

const holds = [
  report({ what: 'up → ready, median', value: median(upMs), limit: UP_LIMIT_MS, unit: 'ms', kind: 'at most' }),
  report({ what: 'idle, PSS of all processes', value: total, limit: PSS_LIMIT_MB, unit: 'MB', kind: 'at most' }),
];
if (holds.includes(false)) process.exitCode = 1;

function pssOf(pid: number): number {
  const [, kilobytes = '0'] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1_024) / 1e6;
}

async function bareNode(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9); process.stdout.write("up")']);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const megabytes = pssOf(child.pid ?? 0);
  child.kill('SIGKILL');
  return megabytes;
}
