/**
 * One life of one container, from its start to its end: what runs beside the process (probes, log pump, exit watch)
 * and what is left to be done when it has ended. The runner owns at most one per container.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { labelsOf, uidOf } from '#kube/object.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { endingOf, type Ending, wasOomKilled } from '#runtime/pod/ended-container.ts';
import type { Exit } from '#runtime/pod/exits.ts';
import { type ContainerLifeName, releaseStreamsOf, streamsOf } from '#runtime/pod/container-streams.ts';
import { containerCgroup, podPaths } from '#runtime/pod/record.ts';
import { releaseRoot } from '#runtime/pod/start-container.ts';
import type { Running, Sandbox } from '#runtime/pod/state.ts';
import { adoptStreams, type ContainerStreams } from '#runtime/stdio/streams.ts';
import { listeningHint } from '#runtime/probes/listening.ts';
import type { CheckResult } from '#runtime/probes/check.ts';
import { podConnector } from '#runtime/probes/connect.ts';
import { type ProbeKind, runProbes } from '#runtime/probes/prober.ts';
import { execInContainer } from '#runtime/pod/exec.ts';

/** How long output that is still in the pipe may take to reach the log after the process has ended. */
const DRAIN_MS = 500;

const REVISION_LABEL = 'serving.knative.dev/revision';

export interface LifeEvents {
  onStarted(): void;
  onReady(isReady: boolean, usesLoopback: boolean): void;
  onUnhealthy(kind: ProbeKind, message: string): void;
  onProbeTrouble(kind: ProbeKind, result: CheckResult): void;
  onEnded(ending: Ending, at: number): void;
}

export interface LifeRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly isInit: boolean;
  readonly sandbox: Sandbox;
  readonly running: Running;
  readonly log: LogFile;
  /** Of a container that was started just now; one that is adopted gets new ones. */
  readonly streams?: ContainerStreams | undefined;
  readonly events: LifeEvents;
}

/** A refused connection usually means another port than the declared one. */
function withHint(message: string, pid: number): string {
  return message.endsWith('connection refused') ? `${message} (${listeningHint(pid)})` : message;
}

export class ContainerLife {
  readonly #env: AgentEnvironment;
  readonly #request: LifeRequest;
  readonly #probes = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly streams: ContainerStreams;

  constructor(env: AgentEnvironment, request: LifeRequest) {
    this.#env = env;
    this.#request = request;
    this.streams = request.streams ?? adoptStreams(streamsOf(env, this.#name, request.log));
    env.exits.waitFor(request.running, (exit) => this.#finish(exit));
    if (!request.isInit) void this.#probe();
  }

  get #name(): ContainerLifeName {
    const { pod, container, running } = this.#request;
    return { pod, container, id: running.id };
  }

  get running(): Running {
    return this.#request.running;
  }

  get log(): LogFile {
    return this.#request.log;
  }

  /** Resolves once the container has ended and its ending was told. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** No more probes: the container is being stopped. */
  stopProbes(): void {
    this.#probes.abort();
  }

  /** Lets go of everything without touching the container: the agent is going, the container stays. */
  detach(): void {
    this.#probes.abort();
    this.streams[Symbol.dispose]();
    this.#request.log[Symbol.dispose]();
  }

  async #probe(): Promise<void> {
    const { clock, driver, logger } = this.#env;
    const { container, sandbox, running, events, pod } = this.#request;
    const looksInside = sandbox.netns !== undefined && REVISION_LABEL in labelsOf(pod);
    const connector = podConnector(looksInside ? sandbox.netns : undefined, clock);
    const target = {
      container,
      address: sandbox.address,
      connect: (port: number, host: string, signal: AbortSignal) => connector.connect(port, host, signal),
      exec: (command: readonly string[], signal: AbortSignal) =>
        execInContainer(driver, { id: running.id, command }, signal),
    };
    const probeEvents = {
      onStarted: () => events.onStarted(),
      onReady: (isReady: boolean) => events.onReady(isReady, connector.usesLoopback),
      onUnhealthy: (kind: ProbeKind, message: string) => events.onUnhealthy(kind, message),
      onTrouble: (kind: ProbeKind, { outcome, message }: CheckResult) =>
        events.onProbeTrouble(kind, { outcome, message: withHint(message, running.pid) }),
    };
    try {
      await runProbes({ clock, target, events: probeEvents }, this.#probes.signal);
    } catch (error) {
      logger.error('probes ended unexpectedly', { error, container: container.name });
    }
  }

  async #finish(exit: Exit): Promise<void> {
    const { clock, cgroups, driver, logger } = this.#env;
    const { container, pod, running, log, events } = this.#request;
    this.#probes.abort();
    await this.#drain();
    const paths = podPaths(this.#env.podFolders, uidOf(pod)).container(container.name);
    const killedForMemory = wasOomKilled(cgroups, containerCgroup(this.#env.cgroup, pod, running.id));
    const ending = await endingOf({
      container,
      exit,
      wasOomKilled: killedForMemory,
      terminationLog: paths.terminationLog,
      logFile: log.file,
    });
    log[Symbol.dispose]();
    try {
      await driver.remove(running.id, new AbortController().signal);
      await releaseStreamsOf(this.#env, this.#name);
      releaseRoot(paths);
    } catch (error) {
      logger.warn('a container that ended could not be removed', { error, container: container.name });
    }
    events.onEnded(ending, exit.at || clock.now());
    this.#ended.resolve();
  }

  /** Everything that the container wrote is in the log, or a grandchild holds the streams for longer than we wait. */
  async #drain(): Promise<void> {
    const { clock } = this.#env;
    const timeout = new AbortController();
    await Promise.race([this.streams.drained, clock.sleep(DRAIN_MS, timeout.signal).catch(() => undefined)]);
    timeout.abort();
    this.streams[Symbol.dispose]();
  }
}
