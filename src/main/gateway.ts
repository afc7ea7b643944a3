/**
 * The gateway process: `gateway --state-dir DIR`, started by the supervisor with the listeners as descriptors 3 to 5.
 * SIGTERM lets running requests finish and ends it.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { systemClock as clock } from '#base/clock.ts';
import { Gateway } from '#dataplane/gateway/gateway.ts';
import { countConnections } from '#dataplane/gateway/tcp-table.ts';
import type { Certificate } from '#dataplane/gateway/messages.ts';
import { threadSpawner } from '#dataplane/gateway/worker-thread.ts';
import { keepCertified } from '#main/gateway/certificate.ts';
import { processCommand } from '#main/launch/command.ts';
import { serveMetrics } from '#main/launch/metrics-socket.ts';
import { writeRequestLog } from '#main/launch/output.ts';
import { ownProcess } from '#main/launch/own-process.ts';
import { INHERITED_FDS } from '#protocol/platform.ts';
import type { TargetEndpoint } from '#protocol/routing.ts';
import { startDetached, watchSupervisor } from '#supervisor/heir.ts';
import { withNetworkNamespace } from '#sys/namespace.ts';
import { setProcessName } from '#sys/process.ts';
import { boundAddress, duplicate } from '#sys/socket.ts';

/** Less than the supervisor gives us. */
const DRAIN_GRACE_MS = 8_000;
const MIN_WORKERS = 2;

const { stateDir, paths, log, stop } = ownProcess('gateway');
setProcessName('pinnace-gateway');

const fds = INHERITED_FDS.gateway;
const gateway = new Gateway({
  clock,
  log,
  pid: process.pid,
  workers: Math.max(MIN_WORKERS, availableParallelism()),
  listeners: [
    { kind: 'http', fd: fds.http },
    { kind: 'https', fd: fds.https },
    { kind: 'local', fd: fds.local },
  ],
  duplicate,
  spawn: threadSpawner(new URL(`./gateway-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)),
  linkSocket: paths.linkSocket,
  snapshotFile: paths.routingTable,
  httpsPort: boundAddress(fds.https)?.port ?? 0,
  connections: connectionsOf,
  writeRequestLog,
});

gateway.start();
// Requests are served without figures, if need be.
const shown = serveMetrics(paths.gatewaySocket, () => gateway.renderMetrics()).catch((error: unknown) => {
  log.warn('nobody will see the figures of this gateway', { error });
});
const watching = watchSupervisor(
  { paths, clock, log, startSupervisor: () => startDetached(processCommand('supervisor', stateDir), paths) },
  stop,
);
const use = (certificate: Certificate) => gateway.useCertificate(certificate);
const certified = keepCertified({ directory: paths.pki, clock, use }, stop);
await watching;
await certified;
await (await shown)?.[Symbol.asyncDispose]();
await gateway.drain(DRAIN_GRACE_MS);
await gateway[Symbol.asyncDispose]();
process.exit(0);

/** Asked inside the pod's own namespace, which the node agent mounts under its address. */
function connectionsOf({ address, port }: TargetEndpoint): number | undefined {
  try {
    const tables = withNetworkNamespace(path.join(paths.netns, address), () =>
      ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/thread-self/net/${name}`, 'latin1')),
    );
    return tables.reduce((sum, table) => sum + countConnections(table, port), 0);
  } catch (error) {
    log.debug('cannot tell the connections of a pod', { address, error });
    return undefined;
  }
}
