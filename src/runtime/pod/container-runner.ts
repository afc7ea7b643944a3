/**
 * Starts and stops one container of a pod, life after life, and tells what happens: state for the plan, Events for
 * people.
 */
import type { Timer } from '#base/clock.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { keyOf, uidOf } from '#kube/object.ts';
import type { StartMarks } from '#protocol/timeline.ts';
import {
  type PullEvent,
  backOffWaiting,
  failedEvent,
  presentEvent,
  pulledEvent,
  pullingEvent,
  type Waiting as PullWaiting,
  waitingFor,
} from '#runtime/image/pull-messages.ts';
import type { EnsuredImage } from '#runtime/image/image-service.ts';
import { LogFile } from '#runtime/logs/log-file.ts';
import type { LogSource } from '#runtime/logs/log-reader.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { ContainerLife, type LifeEvents } from '#runtime/pod/container-life.ts';
import type { Ending } from '#runtime/pod/ended-container.ts';
import { graceMs } from '#runtime/pod/grace.ts';
import { logPath } from '#runtime/pod/log-path.ts';
import { RESTART_BACKOFF_BASE_MS, RESTART_BACKOFF_MAX_MS, restartBackoff } from '#runtime/pod/plan.ts';
import { clearStart, startContainer, type StartedContainer, StartFailure } from '#runtime/pod/start-container.ts';
import type { ContainerState, PodState, Running, Terminated } from '#runtime/pod/state.ts';
import { stopContainer } from '#runtime/pod/stop-container.ts';
import type { ContainerStreams } from '#runtime/stdio/streams.ts';
import type { VolumeSources } from '#runtime/volumes/volumes.ts';

/** A container whose configuration is wrong is tried again this often: what it lacks may have been made. */
const CONFIG_RETRY_MS = 2_000;

const DEFAULT_STOP_SIGNAL = 'TERM';
const START_ERROR_CODE = 128;

export interface ContainerRunnerOptions {
  readonly container: Container;
  readonly isInit: boolean;
  readonly pod: () => Pod;
  readonly state: () => PodState;
  readonly volumes: () => VolumeSources;
  readonly change: (change: Partial<ContainerState>) => void;
  readonly mark: (marks: StartMarks) => void;
  readonly useLoopback: (usesLoopback: boolean) => void;
  readonly signal: AbortSignal;
}

export class ContainerRunner {
  readonly #env: AgentEnvironment;
  readonly #options: ContainerRunnerOptions;
  readonly #events: EventRecorder;
  #life: ContainerLife | undefined;
  #starting = new AbortController();
  #stopSignal = DEFAULT_STOP_SIGNAL;
  #pullFailure: PullWaiting | undefined;
  #pullTimer: Timer | undefined;

  constructor(env: AgentEnvironment, options: ContainerRunnerOptions) {
    this.#env = env;
    this.#options = options;
    const { container, isInit } = options;
    this.#events = env.events.ofPart(`spec.${isInit ? 'initContainers' : 'containers'}{${container.name}}`);
  }

  /** The log of the newest life that began; undefined when none has. */
  get currentLog(): LogSource | undefined {
    const { life, last, attempt } = this.#known;
    if (life.type === 'waiting' && !last) return undefined;
    return { file: this.#logPath(attempt), live: this.#life?.log };
  }

  /** The log of the life that the status shows as the last one. */
  get previousLog(): LogSource | undefined {
    const { life, last, attempt, notBefore } = this.#known;
    const isBetweenLives = life.type === 'waiting' || (life.type === 'terminated' && this.#env.clock.now() < notBefore);
    if (isBetweenLives && (last || life.type === 'terminated')) return { file: this.#logPath(attempt) };
    return last ? { file: this.#logPath(attempt - 1) } : undefined;
  }

  /** Of the container that runs. */
  get streams(): ContainerStreams | undefined {
    return this.#life?.streams;
  }

  /** Takes over a container that an earlier agent started. */
  adopt(): void {
    const { life } = this.#known;
    const { sandbox } = this.#options.state();
    if (life.type !== 'running' || !sandbox) return;
    this.#begin(life, { log: new LogFile(this.#logPath(this.#known.attempt)) });
  }

  async start(): Promise<void> {
    const { sandbox } = this.#options.state();
    if (!sandbox || this.#life) return;
    const { clock } = this.#env;
    const { container } = this.#options;
    const pod = this.#options.pod();
    const attempt = this.#nextAttempt();
    const id = this.#idOf(attempt);
    let log: LogFile | undefined;
    this.#starting = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, this.#starting.signal]);
    let isPulling = false;
    const onPull = () => {
      if (!isPulling) this.#event(pullingEvent(container.image ?? ''));
      isPulling = true;
    };
    try {
      log = new LogFile(this.#logPath(attempt));
      const isDetached = () => this.#options.signal.aborted;
      const onImage = (image: EnsuredImage) => this.#event(imageEvent(container.image ?? '', image));
      const onCreated = () => this.#events.normal(pod, 'Created', `Created container: ${container.name}`);
      const about = { pod, container, sandbox, volumes: this.#options.volumes(), id, log };
      const request = { ...about, isDetached, onPull, onImage, onCreated };
      const started = await startContainer(this.#env, request, signal);
      this.#events.normal(pod, 'Started', `Started container ${container.name}`);
      this.#options.mark({ runtimeStarted: clock.now() });
      this.#started(started, { id, attempt, log });
    } catch (error) {
      log?.[Symbol.dispose]();
      if (signal.aborted) return;
      this.#startFailed(error, { id, attempt });
    }
  }

  /** Gives up a start that is under way: the pod ends. */
  abortStart(): void {
    if (!this.#life) this.#starting.abort();
  }

  /** Nothing of this container runs, and nothing that was begun will. */
  async clear(): Promise<void> {
    if (this.#life) return;
    const request = {
      pod: this.#options.pod(),
      container: this.#options.container,
      id: this.#idOf(this.#nextAttempt()),
    };
    await clearStart(this.#env, request, this.#options.signal);
  }

  /** Resolves when the container has ended. */
  async stop(deadline: () => number): Promise<void> {
    const life = this.#life;
    if (!life) return;
    const { container } = this.#options;
    life.stopProbes();
    this.#events.normal(this.#options.pod(), 'Killing', `Stopping container ${container.name}`);
    await this.#end(life, deadline);
  }

  detach(): void {
    this.#pullTimer?.cancel();
    this.#starting.abort();
    this.#life?.detach();
  }

  get #known(): ContainerState {
    const known = this.#options.state().containers[this.#options.container.name];
    if (!known) throw new Error(`no state of container ${this.#options.container.name}`);
    return known;
  }

  #idOf(attempt: number): string {
    return `${uidOf(this.#options.pod())}_${this.#options.container.name}_${attempt}`;
  }

  #nextAttempt(): number {
    const { life, last, attempt } = this.#known;
    return life.type === 'terminated' || last ? attempt + 1 : attempt;
  }

  /** What the present life becomes when another follows it. */
  get #last(): Pick<ContainerState, 'last'> {
    const { life } = this.#known;
    return life.type === 'terminated' ? { last: life } : {};
  }

  #logPath(attempt: number): string {
    const { pod, container } = this.#options;
    return logPath(this.#env.podLogsDir, { pod: pod(), container: container.name, attempt });
  }

  #started(
    { pid, startTicks, image, streams }: StartedContainer,
    { id, attempt, log }: { id: string; attempt: number; log: LogFile },
  ): void {
    const { container, isInit } = this.#options;
    const hasProbes = container.startupProbe !== undefined || container.readinessProbe !== undefined;
    const running: Running = {
      type: 'running',
      id,
      pid,
      startTicks,
      startedAt: this.#env.clock.now(),
      isStarted: !container.startupProbe,
      isReady: !isInit && !hasProbes,
    };
    this.#stopSignal = (image.config.stopSignal ?? DEFAULT_STOP_SIGNAL).replace(/^SIG/, '');
    this.#pullFailure = undefined;
    this.#options.change({ life: running, attempt, ...this.#last, image: container.image, imageId: image.imageId });
    this.#begin(running, { log, streams });
  }

  #begin(running: Running, { log, streams }: { log: LogFile; streams?: ContainerStreams }): void {
    const { container, isInit } = this.#options;
    const { sandbox } = this.#options.state();
    if (!sandbox) return;
    const request = {
      pod: this.#options.pod(),
      container,
      isInit,
      sandbox,
      running,
      log,
      streams,
      events: this.#lifeEvents(running),
    };
    this.#life = new ContainerLife(this.#env, request);
  }

  #lifeEvents(running: Running): LifeEvents {
    const { clock } = this.#env;
    const current = () => {
      const { life } = this.#known;
      return life.type === 'running' && life.id === running.id ? life : undefined;
    };
    return {
      onStarted: () => {
        const life = current();
        if (life && !life.isStarted) this.#options.change({ life: { ...life, isStarted: true } });
      },
      onReady: (isReady, usesLoopback) => {
        const life = current();
        if (!life) return;
        if (isReady) this.#options.mark({ listening: clock.now() });
        this.#options.useLoopback(usesLoopback);
        if (life.isReady !== isReady) this.#options.change({ life: { ...life, isReady, trouble: undefined } });
      },
      onProbeTrouble: (kind, { outcome, message }) => {
        const what = outcome === 'unknown' ? 'errored and resulted in unknown state' : 'failed';
        const trouble = `${capitalised(kind)} probe ${what}: ${message}`;
        this.#events.warning(this.#options.pod(), 'Unhealthy', trouble);
        const life = current();
        if (life && !life.isReady && life.trouble !== trouble) this.#options.change({ life: { ...life, trouble } });
      },
      onUnhealthy: (kind) => void this.#restart(kind),
      onEnded: (ending, at) => this.#ended(running, ending, at),
    };
  }

  async #restart(kind: string): Promise<void> {
    const life = this.#life;
    const pod = this.#options.pod();
    const { container } = this.#options;
    if (!life) return;
    this.#events.normal(pod, 'Killing', `Container ${container.name} failed ${kind} probe, will be restarted`);
    const probe = kind === 'startup' ? container.startupProbe : container.livenessProbe;
    const ms =
      probe?.terminationGracePeriodSeconds === undefined ? graceMs(pod) : probe.terminationGracePeriodSeconds * 1_000;
    const deadline = this.#env.clock.now() + ms;
    try {
      await this.#end(life, () => deadline);
    } catch (error) {
      // An agent that goes leaves it to the next one, whose probes will find out again.
      if (this.#options.signal.aborted) return;
      this.#env.logger.warn('a container that failed its probe could not be stopped', { pod: keyOf(pod), error });
    }
  }

  async #end(life: ContainerLife, deadline: () => number): Promise<void> {
    const { sandbox } = this.#options.state();
    const request = {
      container: this.#options.container,
      id: life.running.id,
      address: sandbox?.address ?? '',
      stopSignal: this.#stopSignal,
      deadline,
      ended: life.ended,
    };
    await stopContainer(this.#env, request, this.#options.signal);
  }

  #ended(running: Running, ending: Ending, at: number): void {
    this.#life = undefined;
    const terminated: Terminated = {
      type: 'terminated',
      id: running.id,
      ...ending,
      startedAt: running.startedAt,
      finishedAt: at,
    };
    this.#backOff(terminated, at - running.startedAt);
  }

  #backOff(terminated: Terminated, ranForMs: number): void {
    const { clock } = this.#env;
    const { failures, delayMs } = restartBackoff(this.#known.failures, ranForMs);
    this.#options.change({ life: terminated, failures, notBefore: clock.now() + delayMs });
    if (delayMs === 0) return;
    const pod = this.#options.pod();
    const text = `Back-off restarting failed container ${this.#options.container.name} in pod ${keyOf(pod).replace('/', '_')}(${uidOf(pod)})`;
    this.#events.warning(pod, 'BackOff', text);
  }

  #startFailed(error: unknown, { id, attempt }: { id: string; attempt: number }): void {
    const { clock, logger } = this.#env;
    const pod = this.#options.pod();
    const now = clock.now();
    const failure = error instanceof StartFailure ? error : new StartFailure('config', 'CreateContainerError', error);
    if (failure.kind === 'image') return this.#pullFailed(failure);
    this.#events.warning(pod, 'Failed', `Error: ${failure.message}`);
    logger.debug('a container did not start', { pod: keyOf(pod), reason: failure.reason, error });
    if (failure.kind === 'config') {
      this.#options.change({
        ...this.#last,
        life: { type: 'waiting', reason: failure.reason, message: failure.message },
        notBefore: now + CONFIG_RETRY_MS,
      });
      return;
    }
    const times = { startedAt: now, finishedAt: now };
    this.#options.change({ attempt });
    this.#backOff(
      {
        type: 'terminated',
        id,
        exitCode: START_ERROR_CODE,
        reason: failure.reason,
        message: failure.message,
        ...times,
      },
      0,
    );
  }

  /** ErrImagePull when an attempt has failed; ImagePullBackOff while the next one is waited for. */
  #pullFailed({ cause }: StartFailure): void {
    const { clock } = this.#env;
    const image = this.#options.container.image ?? '';
    const waiting = waitingFor(image, cause);
    const { failures } = this.#known;
    const delayMs = Math.min(RESTART_BACKOFF_MAX_MS, RESTART_BACKOFF_BASE_MS * 2 ** failures);
    this.#event(failedEvent(image, cause));
    this.#pullFailure = waiting;
    const now = clock.now();
    this.#options.change({
      ...this.#last,
      life: { type: 'waiting', ...waiting },
      failures: failures + 1,
      notBefore: now + delayMs,
    });
    if (waiting.reason === 'ErrImageNeverPull' || waiting.reason === 'InvalidImageName') return;
    this.#pullTimer = clock.after(SHOW_PULL_ERROR_MS, () => {
      const { life } = this.#known;
      if (life.type === 'waiting' && life.reason === waiting.reason) {
        this.#options.change({ life: { type: 'waiting', ...backOffWaiting(image, this.#pullFailure) } });
      }
    });
  }

  #event({ type, reason, message }: PullEvent): void {
    const pod = this.#options.pod();
    if (type === 'Normal') this.#events.normal(pod, reason, message);
    else this.#events.warning(pod, reason, message);
  }
}

function imageEvent(name: string, { pull, size }: EnsuredImage): PullEvent {
  return pull ? pulledEvent(name, { ...pull, bytes: size }) : presentEvent(name);
}

/** How long the pull error itself is shown before the back-off is. */
const SHOW_PULL_ERROR_MS = 5_000;

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
