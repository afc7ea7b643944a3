/**
 * The node agent: follows the pods that are assigned to this node and runs one `PodRunner` for each. When it starts it
 * takes over what an earlier one left running; when it goes, containers stay.
 */

import type { Timer } from '#base/clock.ts';
import type { Cache } from '#client/cache.ts';
import type { Subscription } from '#client/transport.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { annotationsOf, isBeingDeleted, type Stored, uidOf } from '#kube/object.ts';
import { isConflict } from '#kube/status.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { PodRunner } from '#runtime/pod/pod-runner.ts';
import { type PodFolders, readRecords, removePodFolders, unmountPod } from '#runtime/pod/record.ts';
import { type ContainerState, newPodState, type PodState } from '#runtime/pod/state.ts';
import { sweepPodLogs } from '#runtime/logs/retention.ts';
import { hasLiveVolumes } from '#runtime/volumes/volumes.ts';

/** Pods that stand for something that is not started through the API. */
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** How often ConfigMaps and Secrets are looked at for changes that volumes show. */
const REFRESH_MS = 10_000;

/** How often logs of pods that are gone are looked through. */
const LOG_SWEEP_MS = 10 * 60_000;

/** After a pod could not be let go, it is tried again. */
const BURY_RETRY_MS = 1_000;

export interface NodeAgentOptions {
  readonly env: AgentEnvironment;
  readonly pods: Cache<Pod>;
}

export class NodeAgent implements Disposable {
  readonly #env: AgentEnvironment;
  readonly #pods: Cache<Pod>;
  readonly #runners = new Map<string, PodRunner>();
  readonly #timers: Timer[] = [];
  #subscription: Subscription | undefined;

  constructor({ env, pods }: NodeAgentOptions) {
    this.#env = env;
    this.#pods = pods;
  }

  /** The cache of pods must be synced. */
  async start(): Promise<void> {
    const { clock, exits, podLogsDir } = this.#env;
    await this.#adopt();
    exits.sweep();
    this.#subscription = this.#pods.subscribe(({ type, object }) => {
      if (type === 'deleted') this.#runners.get(uidOf(object))?.gone();
      else this.#see(object);
    });
    this.#timers.push(clock.every(REFRESH_MS, () => this.#refreshVolumes()));
    const alive = () => new Set([...this.#runners.keys(), ...this.#pods.list().map(uidOf)]);
    const sweep = () => sweepPodLogs(podLogsDir, { keep: alive(), now: clock.now() });
    this.#timers.push(clock.every(LOG_SWEEP_MS, sweep));
  }

  runner(namespace: string, name: string): PodRunner | undefined {
    return [...this.#runners.values()].find(
      ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
    );
  }

  get size(): number {
    return this.#runners.size;
  }

  [Symbol.dispose](): void {
    this.#subscription?.close();
    for (const timer of this.#timers) timer.cancel();
    for (const runner of this.#runners.values()) runner.detach();
  }

  #see(pod: Stored<Pod>): void {
    if (pod.spec.nodeName !== this.#env.node.name || MIRROR_ANNOTATION in annotationsOf(pod)) return;
    const runner = this.#runners.get(uidOf(pod));
    if (runner) runner.update(pod);
    else if (!isFinished(pod)) this.#run(pod);
    else if (isBeingDeleted(pod) && pod.metadata.deletionGracePeriodSeconds !== 0) void this.#bury(pod);
  }

  /** A pod that has ended, and that an earlier agent left nothing of, need not wait for its grace period to be over. */
  async #bury({ metadata: { namespace, name, uid } }: Stored<Pod>): Promise<void> {
    const { client, clock, logger } = this.#env;
    try {
      await client.derived.remove(Pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (isConflict(error)) return;
      logger.warn('a pod that has ended was not let go, trying again', { pod: name, error });
      this.#timers.push(clock.after(BURY_RETRY_MS, () => this.#seeAgain(uid)));
    }
  }

  #seeAgain(uid: string): void {
    const pod = this.#pods.list().find((one) => uidOf(one) === uid);
    if (pod) this.#see(pod);
  }

  #run(pod: Stored<Pod>, known?: PodState): PodRunner {
    const hooks = { onReleased: (uid: string) => void this.#runners.delete(uid) };
    const runner = new PodRunner(this.#env, pod, hooks, known);
    this.#runners.set(uidOf(pod), runner);
    return runner;
  }

  async #adopt(): Promise<void> {
    const { network, podFolders, logger } = this.#env;
    const { states, strays } = readRecords(podFolders);
    for (const uid of strays) removeStray(podFolders, uid);
    const addresses = states.flatMap(({ sandbox }) => (sandbox?.netns === undefined ? [] : [sandbox.address]));
    const lost = new Set(await network.adopt(new Set(addresses)));
    const present = new Map(this.#pods.list().map((pod) => [uidOf(pod), pod]));
    for (const state of states) {
      const known =
        state.sandbox && lost.has(state.sandbox.address) ? afterReboot(state, this.#env.clock.now()) : state;
      if (known !== state) unmountPod(podFolders, uidOf(state.pod));
      const pod = present.get(uidOf(state.pod));
      const runner = this.#run(pod ?? (state.pod as Stored<Pod>), known);
      if (!pod) runner.gone();
      logger.debug('took over a pod', { pod: state.pod.metadata.name, isKnown: pod !== undefined });
    }
  }

  #refreshVolumes(): void {
    for (const runner of this.#runners.values()) if (hasLiveVolumes(runner.pod)) void runner.refreshVolumes();
  }
}

function removeStray(folders: PodFolders, uid: string): void {
  unmountPod(folders, uid);
  removePodFolders(folders, uid);
}

/** The machine was started anew: nothing runs and no network is there. Every container begins its next life. */
function afterReboot(state: PodState, now: number): PodState {
  const fresh = newPodState(state.pod, now);
  const containers = Object.entries(fresh.containers).map(([name, container]): [string, ContainerState] => {
    const before = state.containers[name];
    const hasLived = before !== undefined && (before.life.type !== 'waiting' || before.last !== undefined);
    return [name, { ...container, attempt: hasLived ? before.attempt + 1 : 0 }];
  });
  return { ...fresh, containers: Object.fromEntries(containers), endingSince: state.endingSince };
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
