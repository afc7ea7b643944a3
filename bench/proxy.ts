/**
 * What a request costs in the gateway, as a multiple of what it costs in nginx in the same run.
 *
 *     node bench/proxy.ts [--seconds N] [--rounds N]
 *
 * Method: one server (nginx, answering from memory) stands behind everybody; keep-alive clients in a process of their
 * own send browser-like GETs as fast as they are answered, to one contender at a time, in turns. What counts is the
 * processor time of the contender's processes by the kernel's count, divided by the answers; the figure is the median
 * of the rounds. One worker each, so that contenders are compared core by core; the gateway also with two.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Body,
  type Contender,
  cpuMicros,
  hasNginx,
  startBackend,
  startGateway,
  startNginx,
} from './proxy/contenders.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '3' } },
});
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);

interface Sample {
  readonly microsPerRequest: number;
  readonly perSecond: number;
  readonly errors: number;
}

async function measure(contender: Contender, clients: number): Promise<Sample> {
  const before = cpuMicros(contender.pids());
  const { requests, errors } = await load(contender.port, clients);
  const spent = cpuMicros(contender.pids()) - before;
  return { microsPerRequest: spent / Math.max(1, requests), perSecond: requests / SECONDS, errors };
}

function load(port: number, clients: number): Promise<{ requests: number; errors: number }> {
  const args = [path.join(import.meta.dirname, 'proxy/load.ts'), `${port}`, `${clients}`, `${SECONDS}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', () => resolve(JSON.parse(text) as never)));
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((left, right) => left - right)[numbers.length >> 1] ?? 0;

async function compare(title: string, contenders: readonly Contender[], clients: number): Promise<void> {
  const samples = new Map<Contender, Sample[]>(contenders.map((one) => [one, []]));
  for (const one of contenders) await measure(one, clients);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const one of contenders) samples.get(one)?.push(await measure(one, clients));
  const costOf = (one: Contender) => median((samples.get(one) ?? []).map((sample) => sample.microsPerRequest));
  const [rival] = contenders;
  console.log(`\n${title}, ${clients} clients`);
  for (const one of contenders) {
    const rate = median((samples.get(one) ?? []).map((sample) => sample.perSecond));
    const errors = (samples.get(one) ?? []).reduce((sum, sample) => sum + sample.errors, 0);
    const ratio = rival ? costOf(one) / costOf(rival) : 0;
    console.log(
      `  ${one.name.padEnd(20)} ${costOf(one).toFixed(1).padStart(6)} µs/request  ${ratio.toFixed(2)} × nginx  ${rate.toFixed(0).padStart(6)}/s  ${errors} errors`,
    );
  }
}

async function main(): Promise<void> {
  if (!hasNginx()) {
    console.log('nginx is not installed: nothing to compare with (apt-get install nginx-light)');
    return;
  }
  console.log(`${ROUNDS} rounds of ${SECONDS} s each, in turns; processor time by the kernel; medians`);
  const dir = mkdtempSync(path.join(tmpdir(), 'pinnace-bench-'));
  try {
    for (const body of ['small', 'large'] as const) await runWith(dir, body);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runWith(dir: string, body: Body): Promise<void> {
  const backend = await startBackend(dir, body);
  const contenders = [
    await startNginx(dir, backend.port),
    await startGateway(dir, backend.port, 1),
    await startGateway(dir, backend.port, 2),
  ];
  try {
    await compare(body === 'small' ? 'small GET' : '64 KiB answers', contenders, 50);
    if (body === 'small') await compare('small GET', contenders, 1000);
  } finally {
    for (const one of [...contenders, backend]) one.stop();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

await main();
