/**
 * Carries one pod through its life: asks the plan what to do, has it done, and asks again, until nothing of the pod is
 * left. Steps of different containers run side by side; each container has at most one step under way.
 *
 *     object from the API ─▶ state ─▶ planPod ─▶ steps ─▶ tasks ─▶ new state ─▶ (again) … ─▶ status to the API
 */
import { isAbort } from '#base/abort.ts';
import type { Timer } from '#base/clock.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { annotationsOf, isBeingDeleted, keyOf, labelsOf, namespaceOf, type Stored, uidOf } from '#kube/object.ts';
import { isConflict, isNotFound } from '#kube/status.ts';
import { DRAINED_ANNOTATION, START_MARKS_ANNOTATION, type StartMarks } from '#protocol/timeline.ts';
import { LOOPBACK_NETNS_ANNOTATION } from '#protocol/routing.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { ContainerRunner } from '#runtime/pod/container-runner.ts';
import { graceMs } from '#runtime/pod/grace.ts';
import { planPod, type Step } from '#runtime/pod/plan.ts';
import { keepRecord, writeRecord } from '#runtime/pod/record.ts';
import { makeSandbox, preparePodVolumes, refreshPodVolumes, removeSandbox } from '#runtime/pod/sandbox.ts';
import { type ContainerState, newPodState, type PodState } from '#runtime/pod/state.ts';
import { DEADLINE_EXCEEDED, podStatus } from '#runtime/pod/status.ts';
import { StatusWriter } from '#runtime/pod/status-writer.ts';
import { tokensIn } from '#runtime/volumes/content.ts';
import { PodTokens } from '#runtime/volumes/pod-tokens.ts';
import type { VolumeSources } from '#runtime/volumes/volumes.ts';
import { hasCode } from '#sys/errors.ts';

const REVISION_LABEL = 'serving.knative.dev/revision';

/** After a failed attempt at the sandbox or the volumes, the next one: doubling up to the second bound. */
const SETUP_RETRY_MS = 500;
const SETUP_RETRY_MAX_MS = 60_000;

/** After there was no room for the record. */
const SAVE_RETRY_MS = 1_000;

/** The disk gets its copy of the record this long after the first change that it lacks. */
const KEEP_DELAY_MS = 2_000;

export interface PodRunnerHooks {
  /** Nothing is left of the pod here; the runner is done. */
  onReleased(uid: string): void;
}

export class PodRunner {
  readonly #env: AgentEnvironment;
  readonly #hooks: PodRunnerHooks;
  readonly #stop = new AbortController();
  readonly #status: StatusWriter;
  /** Steps under way: container names, and `sandbox`. */
  readonly #busy = new Set<string>();
  readonly #runners = new Map<string, ContainerRunner>();
  #state: PodState;
  #pod: Stored<Pod>;
  #isGone = false;
  #drainedBy: number | undefined;
  readonly #tokens: PodTokens;
  #volumes: VolumeSources | undefined;
  #setupFailures = 0;
  #timer: Timer | undefined;
  #saving: Timer | undefined;
  #keeping: Timer | undefined;
  #scheduled = false;

  /** @param known what an earlier agent wrote down about this pod. */
  constructor(env: AgentEnvironment, pod: Stored<Pod>, hooks: PodRunnerHooks, known?: PodState) {
    this.#env = env;
    this.#hooks = hooks;
    this.#pod = pod;
    this.#tokens = new PodTokens(env.clock, (wanted) => env.lookupIn(namespaceOf(this.#pod)).token(this.#pod, wanted));
    const now = env.clock.now();
    this.#state = known ?? { ...newPodState(pod, now), marks: { podCreated: createdAt(pod, now), assigned: now } };
    this.#status = new StatusWriter({
      client: env.client,
      clock: env.clock,
      logger: env.logger,
      pod,
      render: () => this.#render(),
      signal: this.#stop.signal,
    });
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) this.#addRunner(container);
    if (known) this.#save();
    this.#schedule();
  }

  get pod(): Stored<Pod> {
    return this.#pod;
  }

  get state(): PodState {
    return this.#state;
  }

  container(name: string): ContainerRunner | undefined {
    return this.#runners.get(name);
  }

  /** The API has a newer version of the pod. */
  update(pod: Stored<Pod>): void {
    this.#pod = pod;
    this.#state = { ...this.#state, pod };
    if (isBeingDeleted(pod)) this.#begin('ending');
    this.#schedule();
  }

  /** The API does not know the pod any more: everything goes, at once. */
  gone(): void {
    this.#isGone = true;
    this.#begin('ending');
    this.#schedule();
  }

  /** Shows changed ConfigMaps and Secrets in the pod's volumes, and new tokens in place of old ones. */
  async refreshVolumes(): Promise<void> {
    const { sandbox, containers } = this.#state;
    // An earlier agent may have prepared them.
    const isPrepared = this.#volumes || Object.values(containers).some(({ life }) => life.type === 'running');
    if (!sandbox || !isPrepared || this.#isEnding) return;
    try {
      await refreshPodVolumes(this.#env, { pod: this.#pod, sandbox, tokens: this.#tokens });
    } catch (error) {
      this.#env.logger.debug('volumes were not refreshed', { pod: keyOf(this.#pod), error });
    }
  }

  /** Lets go without touching the containers: the next agent adopts them. */
  detach(): void {
    this.#stop.abort();
    this.#timer?.cancel();
    this.#saving?.cancel();
    this.#keeping?.cancel();
    for (const runner of this.#runners.values()) runner.detach();
  }

  get #isEnding(): boolean {
    return this.#state.endingSince !== undefined;
  }

  #begin(_: 'ending'): void {
    if (this.#isEnding) return;
    const now = this.#env.clock.now();
    this.#setState({ ...this.#state, endingSince: now });
    this.#drainedBy = now + graceMs(this.#pod);
    for (const runner of this.#runners.values()) runner.abortStart();
  }

  #addRunner(container: Container): void {
    const isInit = (this.#pod.spec.initContainers ?? []).some(({ name }) => name === container.name);
    const runner = new ContainerRunner(this.#env, {
      container,
      isInit,
      pod: () => this.#pod,
      state: () => this.#state,
      volumes: () => this.#volumes ?? new Map(),
      change: (change) => this.#changeContainer(container.name, change),
      mark: (marks) => this.#mark(marks),
      useLoopback: (usesLoopback) => this.#useLoopback(usesLoopback),
      signal: this.#stop.signal,
    });
    this.#runners.set(container.name, runner);
    runner.adopt();
  }

  #changeContainer(name: string, change: Partial<ContainerState>): void {
    const before = this.#state.containers[name];
    if (!before) return;
    const containers = { ...this.#state.containers, [name]: { ...before, ...change } };
    this.#setState({ ...this.#state, containers });
  }

  #mark(marks: StartMarks): void {
    this.#state = { ...this.#state, marks: { ...marks, ...this.#state.marks } };
  }

  #useLoopback(usesLoopback: boolean): void {
    if (this.#state.usesLoopback !== usesLoopback) this.#setState({ ...this.#state, usesLoopback });
  }

  #setState(state: PodState): void {
    this.#state = state;
    this.#save();
    this.#status.changed();
    this.#schedule();
  }

  #save(): void {
    this.#saving?.cancel();
    // A pod that has nothing on this machine needs no record; its folder may be gone already.
    if (!this.#state.sandbox) return;
    if (!this.#writeDown(writeRecord)) this.#saving = this.#env.clock.after(SAVE_RETRY_MS, () => this.#save());
    this.#keeping ??= this.#env.clock.after(KEEP_DELAY_MS, () => this.#keep());
  }

  #keep(): void {
    this.#keeping = undefined;
    if (!this.#state.sandbox || this.#writeDown(keepRecord)) return;
    this.#keeping = this.#env.clock.after(KEEP_DELAY_MS, () => this.#keep());
  }

  /** False when there was no room: that must not end the agent, and what is written down is older for a while. */
  #writeDown(write: typeof writeRecord): boolean {
    const { logger, podFolders } = this.#env;
    try {
      write(podFolders, this.#state);
      return true;
    } catch (error) {
      if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
      logger.warn('what is known of a pod could not be written down yet', { pod: keyOf(this.#pod), error });
      return false;
    }
  }

  #render() {
    const { clock, node } = this.#env;
    const status = podStatus({ state: this.#state, before: this.#pod.status, hostIp: node.address, now: clock.now() });
    const { marks, usesLoopback, sandbox } = this.#state;
    const annotations: Record<string, string> = {};
    if (marks.listening !== undefined && REVISION_LABEL in labelsOf(this.#pod))
      annotations[START_MARKS_ANNOTATION] = JSON.stringify(marks);
    if (usesLoopback && sandbox?.netns !== undefined) annotations[LOOPBACK_NETNS_ANNOTATION] = sandbox.netns;
    return { status, annotations };
  }

  #schedule(): void {
    if (this.#scheduled || this.#stop.signal.aborted) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#step();
    });
  }

  #step(): void {
    if (this.#stop.signal.aborted) return;
    const now = this.#env.clock.now();
    if (this.#isEnding && this.#waitsForDrain(now)) return;
    for (const step of planPod({ state: this.#state, isEnding: this.#isEnding, now })) this.#carryOut(step, now);
  }

  /** Requests that a Revision's pod still serves end first, within the grace period. */
  #waitsForDrain(now: number): boolean {
    const isServing =
      REVISION_LABEL in labelsOf(this.#pod) &&
      Object.values(this.#state.containers).some(({ life }) => life.type === 'running' && life.isReady);
    if (!isServing || this.#isGone || DRAINED_ANNOTATION in annotationsOf(this.#pod)) return false;
    const limit = Math.min(this.#drainedBy ?? now, (this.#state.endingSince ?? now) + graceMs(this.#pod));
    if (now >= limit) return false;
    this.#wakeAt(limit);
    return true;
  }

  #carryOut(step: Step, now: number): void {
    switch (step.type) {
      case 'make-sandbox':
        return this.#task('sandbox', () => this.#setUp());
      case 'start':
        return this.#task(step.container.name, () => this.#start(step.container.name));
      case 'stop':
        return this.#task(step.container, () => this.#stopOne(step.container));
      case 'remove-sandbox':
        return this.#task('sandbox', () => this.#tearDown());
      case 'release':
        return this.#task('sandbox', () => this.#release());
      case 'expire':
        return this.#expire(now);
      case 'wait':
        return this.#wakeAt(Math.max(step.untilMs, now + 1));
    }
  }

  #expire(now: number): void {
    this.#env.events.normal(this.#pod, DEADLINE_EXCEEDED.reason, DEADLINE_EXCEEDED.message);
    this.#setState({ ...this.#state, expiredSince: now });
  }

  #task(name: string, work: () => Promise<void>): void {
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    work()
      .catch((error: unknown) => {
        if (!isAbort(error, this.#stop.signal))
          this.#env.logger.error('a step of a pod failed', { pod: keyOf(this.#pod), step: name, error });
        this.#wakeAt(this.#env.clock.now() + SETUP_RETRY_MS);
      })
      .finally(() => {
        this.#busy.delete(name);
        this.#schedule();
      });
  }

  #wakeAt(atMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#env.clock.after(Math.max(0, atMs - this.#env.clock.now()), () => this.#schedule());
  }

  async #setUp(): Promise<void> {
    // Their answers come while the network is made.
    for (const wanted of tokensIn(this.#pod.spec)) this.#tokens.expect(wanted);
    try {
      const sandbox = await makeSandbox(this.#env, this.#pod, this.#stop.signal);
      this.#mark({ sandboxReady: this.#env.clock.now() });
      this.#setState({ ...this.#state, sandbox });
      this.#setupFailures = 0;
    } catch (error) {
      await this.#setupFailed(error, 'FailedCreatePodSandBox', (message) => `Failed to create pod sandbox: ${message}`);
    }
  }

  async #start(name: string): Promise<void> {
    if (!(await this.#ensureVolumes())) return;
    await this.#runners.get(name)?.start();
  }

  /** Volumes are prepared once per agent; preparing them again changes nothing that is right already. */
  async #ensureVolumes(): Promise<boolean> {
    const { sandbox } = this.#state;
    if (this.#volumes || !sandbox) return this.#volumes !== undefined;
    try {
      this.#volumes = await preparePodVolumes(this.#env, { pod: this.#pod, sandbox, tokens: this.#tokens });
      this.#setupFailures = 0;
      return true;
    } catch (error) {
      await this.#setupFailed(error, 'FailedMount', (message) => `MountVolume.SetUp failed: ${message}`);
      return false;
    }
  }

  async #setupFailed(error: unknown, reason: string, text: (message: string) => string): Promise<void> {
    const { clock, events } = this.#env;
    if (this.#stop.signal.aborted) throw error;
    events.warning(this.#pod, reason, text(error instanceof Error ? error.message : String(error)));
    const delayMs = Math.min(SETUP_RETRY_MAX_MS, SETUP_RETRY_MS * 2 ** this.#setupFailures);
    this.#setupFailures += 1;
    // An ending pod does not wait for its next attempt.
    const deadline = clock.now() + delayMs;
    while (clock.now() < deadline && !this.#isEnding) await clock.sleep(Math.min(100, delayMs), this.#stop.signal);
  }

  async #stopOne(name: string): Promise<void> {
    const since = this.#state.endingSince ?? this.#env.clock.now();
    await this.#runners.get(name)?.stop(() => (this.#isGone ? this.#env.clock.now() : since + graceMs(this.#pod)));
  }

  async #tearDown(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.clear()));
    this.#keeping?.cancel();
    await removeSandbox(this.#env, this.#pod, this.#state.sandbox);
    const { sandbox: _sandbox, ...rest } = this.#state;
    this.#volumes = undefined;
    this.#keeping = undefined;
    this.#setState(rest);
  }

  async #release(): Promise<void> {
    await removeSandbox(this.#env, this.#pod, undefined);
    if (!this.#isGone) await this.#deleteObject();
    this.#stop.abort();
    this.#timer?.cancel();
    this.#keeping?.cancel();
    this.#hooks.onReleased(uidOf(this.#pod));
  }

  async #deleteObject(): Promise<void> {
    const { namespace, name, uid } = this.#pod.metadata;
    await this.#status.flush();
    try {
      await this.#env.client.derived.delete(
        Pod,
        { namespace, name },
        { gracePeriodSeconds: 0, preconditions: { uid } },
      );
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** Objects carry whole seconds; the first sight of a pod created this second is closer to the truth. */
function createdAt(pod: Pod, now: number): number {
  const created = Date.parse(pod.metadata.creationTimestamp ?? '');
  return Number.isNaN(created) || now - created < 1_000 ? now : created;
}
