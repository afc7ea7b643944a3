/**
 * The order in which control comes up:
 *
 *     store ─▶ pods that run are put back ─▶ API ─▶ default objects ─▶ caches ─▶ controllers ─┐
 *                                             └──▶ node agent finds its pods, default roles ──┴▶ routing, autoscaler
 *
 * and goes down in the opposite one. Requests of users are served from the third step on, and wait for nothing else.
 */
import { untilAborted } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import type { HealthCheck } from '#apiserver/http/health.ts';
import { AgentThread } from '#main/control/agent-thread.ts';
import { BOOTSTRAP, CLUSTER_DOMAIN, SERVED_KINDS, startApi } from '#main/control/api.ts';
import { createControllers } from '#main/control/controllers.ts';
import { PlatformWatch } from '#main/control/platform-watch.ts';
import { writeExternalPorts } from '#main/control/ports.ts';
import { INHERITED_FDS, type ListenerName, type PlatformSettings, type StatePaths } from '#protocol/platform.ts';
import { ForeignExits } from '#supervisor/foreign.ts';
import { watchSupervisor } from '#supervisor/heir.ts';
import { startReaper } from '#supervisor/reaper.ts';
import { boundAddress } from '#sys/socket.ts';
import { bootstrapRoles } from '#workloads/rbac/bootstrap.ts';

/** The supervisor reports its listeners around the time that it starts us; this is how often we look. */
const PLATFORM_POLL_MS = 5;

export interface ControlOptions {
  readonly settings: PlatformSettings;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly startSupervisor: () => void;
}

/** Serves until `signal` aborts. */
export async function runControl(options: ControlOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, paths, settings, version } = options;
  await using stack = new AsyncDisposableStack();
  const exits = { paths, clock, log: logger };
  stack.use(startReaper(exits));
  const parents = () => new Set([process.pid]);
  const orphans = stack.use(new ForeignExits({ ...exits, cgroup: settings.cgroup, parents }));
  const watching = watchSupervisor({ ...options, log: logger, onDeath: () => orphans.scan() }, signal);
  const platform = stack.use(new PlatformWatch(paths));
  const readiness = new Readiness();
  const metrics = new MetricRegistry();
  const apiPort = boundAddress(INHERITED_FDS.control.api)?.port ?? 0;
  const { checks } = readiness;
  const api = stack.use(await startApi({ ...options, metrics, apiPort, checks }));
  const transport = api.transportOf(`system:node:${settings.instance}`);
  const start = { settings, version, clusterDomain: CLUSTER_DOMAIN };
  const agent = stack.use(new AgentThread({ start, transport, kinds: SERVED_KINDS, clock, logger }));
  const { listeners } = await untilListening(platform, clock, signal);
  const controllers = stack.use(
    await createControllers({ ...options, api, metrics, listeners, platform, digests: agent }),
  );
  const portOf = (name: ListenerName) => listeners.find((listener) => listener.name === name)?.port ?? 0;
  await writeExternalPorts(api.clientOf(BOOTSTRAP), { http: portOf('http'), https: portOf('https') });
  await untilAborted(api.caches.start(), signal);
  readiness.set('caches');
  controllers.start();
  // The default roles are nobody's to wait for but those who need them: they are written while the agent starts.
  await Promise.all([untilAborted(agent.ready, signal), bootstrapRoles(api.clientOf(BOOTSTRAP), version)]);
  await controllers.startTraffic();
  readiness.set('routing');
  readiness.watch('node-agent', () => agent.isReady);
  readiness.watch('gateway', () => controllers.gateways > 0);
  logger.info('control is up', { apiPort, sinceStartMs: Math.round(clock.monotonicMs()) });
  await watching;
}

async function untilListening(platform: PlatformWatch, clock: Clock, signal: AbortSignal) {
  while (platform.state.listeners.length === 0) await clock.sleep(PLATFORM_POLL_MS, signal);
  return platform.state;
}

const STEPS = ['caches', 'routing', 'node-agent', 'gateway'] as const;
type StepName = (typeof STEPS)[number];

/** What `/readyz` looks at. */
class Readiness {
  readonly #answers = new Map<StepName, () => boolean>();

  get checks(): HealthCheck[] {
    const isHealthy = (name: StepName) => this.#answers.get(name)?.() ?? false;
    return STEPS.map((name) => ({ name, isReadinessOnly: true, isHealthy: () => isHealthy(name) }));
  }

  set(name: StepName): void {
    this.#answers.set(name, () => true);
  }

  watch(name: StepName, answer: () => boolean): void {
    this.#answers.set(name, answer);
  }
}
