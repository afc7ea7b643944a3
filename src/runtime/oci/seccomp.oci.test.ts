/** What a program finds of the kernel, in real containers. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import type { SecurityContext } from '#kube/kinds/core/security-context.ts';
import { readLog } from '#runtime/logs/log-reader.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler');
const { EPERM, ENOSYS } = constants.errno;
/** Not among those that Node names. */
const ESOCKTNOSUPPORT = 94;
const CLONE_NEWUSER = 0x10000000;
const AF_INET = 2;
const AF_VSOCK = 40;
const CALLS = {
  x64: { socket: 41, keyctl: 250, io_uring_setup: 425, unshare: 272, clone: 56, clone3: 435, getpid: 39 },
  arm64: { socket: 198, keyctl: 219, io_uring_setup: 425, unshare: 97, clone: 220, clone3: 435, getpid: 172 },
}[process.arch as 'x64' | 'arm64'];
const HOSTILE = [
  CALLS.keyctl,
  `${CALLS.socket}:${AF_VSOCK}`,
  CALLS.io_uring_setup,
  `${CALLS.clone}:${CLONE_NEWUSER}`,
  `${CALLS.unshare}:${CLONE_NEWUSER}`,
];

/** The second asks for an Internet socket of no type: refused by the kernel itself, in its own way. */
const ORDINARY = [CALLS.getpid, `${CALLS.socket}:${AF_INET}`];

/** The errors that the calls give in a container, in their order. */
async function errorsOf(world: AgentWorld, name: string, securityContext: SecurityContext): Promise<number[]> {
  const command = ['/app', 'calls', ...[...HOSTILE, CALLS.clone3, ...ORDINARY].map(String)];
  const image = 'test/app:1';
  await world.createPod(name, {
    restartPolicy: 'Never',
    containers: [{ name: 'app', image, command, securityContext }],
  });
  await world.until(name, ({ status }) => status?.phase === 'Succeeded', 'it has ended');
  const source = world.running().agent.runner('default', name)?.container('app')?.currentLog;
  assert.ok(source);
  let text = '';
  for await (const piece of readLog({ file: source.file }, {}, new AbortController().signal)) text += piece.toString();
  return text
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]));
}

test('calls by which programs have broken out are refused, to root too, unless nothing is to be', real, async () => {
  await using world = await startAgentWorld();
  const refused = [EPERM, EPERM, EPERM, EPERM, EPERM, ENOSYS, 0, ESOCKTNOSUPPORT];
  assert.deepEqual(await errorsOf(world, 'plain', {}), refused);
  assert.deepEqual(await errorsOf(world, 'root', { runAsUser: 0 }), refused);
  assert.deepEqual(await errorsOf(world, 'strict', { seccompProfile: { type: 'RuntimeDefault' } }), refused);
  const free = await errorsOf(world, 'free', { runAsUser: 0, seccompProfile: { type: 'Unconfined' } });
  assert.ok(
    free.every((error) => error !== EPERM && error !== ENOSYS),
    `unconfined: ${free.join(' ')}`,
  );
});
