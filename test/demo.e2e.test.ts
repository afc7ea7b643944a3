/** `npm run demo`: the main job on real containers, as a new user sees it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { leftovers, runProgram } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc');
const RUN = path.join(import.meta.dirname, '..', 'scripts', 'run.mjs');
const LIMIT_MS = 120_000;

/** The state directory that the demo says it uses. */
function homeIn(output: string): string {
  const [, home = ''] = /PINNACE_STATE_DIR=(\S+)/.exec(output) ?? [];
  assert.notEqual(home, '', output);
  return home;
}

test('every step holds, and nothing is left', real, async () => {
  const { code, stdout, stderr } = await runProgram(process.execPath, [RUN, 'demo']);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const told: RegExp[] = [
    /built and unpacked, without a registry/,
    /ready \d+ ms after it was created/,
    /Hello World, from greeter-00001/,
    /the last container was gone [\d.]+ s after the last answer/,
    /^ +start +[\d.]+ ms +█/m,
    /^ +boot +[\d.]+ ms/m,
    /answered from zero in \d+ ms/,
    /^ +60 Hello Sailor, from greeter-00002\n +240 Hello World, from greeter-00001$/m,
    /nothing of it is left on this machine/,
    /Every step held/,
    /Try next/,
  ];
  for (const line of told) assert.match(stdout, line);
  const home = homeIn(stdout);
  assert.deepEqual(leftovers(home), []);
  assert.ok(!existsSync(home));
});

test('an interrupt ends it at once, and nothing is left either', real, async () => {
  const demo = spawn(process.execPath, [RUN, 'demo'], { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS });
  let output = '';
  demo.stdout.on('data', (chunk: Buffer) => {
    const isAsked = output.includes('kubectl apply');
    output += chunk.toString();
    if (!isAsked && output.includes('kubectl apply')) demo.kill('SIGINT');
  });
  const [code] = (await once(demo, 'close')) as [number | null];
  assert.equal(code, 130, output);
  assert.doesNotMatch(output, /Every step held/);
  assert.deepEqual(leftovers(homeIn(output)), []);
});

test('a flag that there is not is refused', async () => {
  const { code, stderr } = await runProgram(process.execPath, [RUN, 'demo', '--nonsense']);
  assert.equal(code, 2);
  assert.match(stderr, /usage: npm run demo/);
});
