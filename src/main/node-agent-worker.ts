/** The node agent's thread: the agent over the API at the other end of a port, and digest resolution for control. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '#base/assert.ts';
import { systemClock } from '#base/clock.ts';
import { createLogger, isLogLevel } from '#base/log.ts';
import { Client } from '#client/client.ts';
import { PortTransport } from '#client/port-transport.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import type { AgentAnswer, AgentRequest, AgentStart, PullCredentials } from '#main/control/agent-protocol.ts';
import { writeLog } from '#main/launch/output.ts';
import { statePaths } from '#protocol/platform.ts';
import { createAgent } from '#runtime/create-agent.ts';
import { runOrdinarily } from '#sys/priority.ts';
import { parseReference, repositoryName } from '#runtime/image/reference.ts';
import { digestResolutionText } from '#runtime/image/pull-messages.ts';

// Before anything is started from here: containers run like everything else on the machine.
runOrdinarily();

const { settings, version, clusterDomain, port } = workerData as AgentStart;
const control = parentPort;
assert(control, 'node-agent-worker runs as a worker thread');

const logger = createLogger({
  clock: systemClock,
  level: isLogLevel(settings.logLevel) ? settings.logLevel : 'info',
  fields: { process: 'control', component: 'node-agent' },
  write: writeLog,
});
const client = new Client(new PortTransport(port));
const stop = new AbortController();
const options = {
  settings,
  paths: statePaths(settings.stateDir),
  client,
  clock: systemClock,
  logger,
  version,
  clusterDomain,
  registry: { proxyEnv: process.env },
};
const agent = await createAgent(options, stop.signal);
const lookUps = new Map<number, AbortController>();

const send = (answer: AgentAnswer) => control.postMessage(answer);
control.on('message', (request: AgentRequest) => void serve(request));
send({ type: 'ready' });

async function serve(request: AgentRequest): Promise<void> {
  if (request.type === 'cancel') return lookUps.get(request.id)?.abort();
  if (request.type === 'stop') return end();
  const abort = new AbortController();
  lookUps.set(request.id, abort);
  try {
    const credentials = await credentialsOf(request.credentials);
    const digest = await agent.images.resolveDigest(request.image, { credentials }, abort.signal);
    send({ type: 'resolved', id: request.id, digest: `${repositoryOf(request.image)}@${digest}` });
  } catch (error) {
    send({ type: 'unresolved', id: request.id, message: digestResolutionText(error) });
  } finally {
    lookUps.delete(request.id);
  }
}

function repositoryOf(image: string): string {
  const parsed = parseReference(image);
  return 'reference' in parsed ? repositoryName(parsed.reference) : image;
}

/** The pull secrets that were named, and those of the service account. */
async function credentialsOf({ namespace, serviceAccount, imagePullSecrets }: PullCredentials) {
  const account = await client.find(ServiceAccount, { namespace, name: serviceAccount || 'default' });
  const names = [...imagePullSecrets, ...(account?.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])];
  return agent.env.lookupIn(namespace).pullCredentials([...new Set(names)]);
}

async function end(): Promise<void> {
  stop.abort();
  await agent[Symbol.asyncDispose]();
  port.close();
  control?.close();
}
