/**
 * What to do next about one pod: current state in, typed steps out; no steps means converged. Pure.
 *
 * The rules are the kubelet's: init containers one after the other; restarts by `restartPolicy` with a back-off of
 * 10 s doubling to 5 minutes, forgotten after 10 minutes of running; an ending pod has its containers stopped and its
 * sandbox taken down before it is let go.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ContainerState, PodState } from '#runtime/pod/state.ts';

export const RESTART_BACKOFF_BASE_MS = 10_000;
export const RESTART_BACKOFF_MAX_MS = 300_000;

/** A container that ran for this long is forgiven its earlier failures. */
const RESTART_FORGET_MS = 600_000;

export type Step =
  | { readonly type: 'make-sandbox' }
  | { readonly type: 'start'; readonly container: Container; readonly isInit: boolean }
  /** Stop a container that still runs; `restart` is decided by the next plan. */
  | { readonly type: 'stop'; readonly container: string; readonly why: string }
  | { readonly type: 'remove-sandbox' }
  /** The pod has been active for longer than it may: from now on it has failed. */
  | { readonly type: 'expire' }
  /** Nothing is left of the pod on this machine: the API may forget it. */
  | { readonly type: 'release' }
  | { readonly type: 'wait'; readonly untilMs: number };

export interface PlanInput {
  readonly state: PodState;
  /** The pod is to end: it was deleted, evicted, or is gone from the API. */
  readonly isEnding: boolean;
  readonly now: number;
}

export function planPod({ state, isEnding, now }: PlanInput): Step[] {
  if (isEnding) return planEnd(state);
  const outcome = podOutcome(state);
  if (outcome !== 'running') return planFinished(state);
  const deadline = deadlineOf(state);
  if (now >= deadline) return [{ type: 'expire' }];
  return withOneWait(state.sandbox ? planContainers(state, now) : [{ type: 'make-sandbox' }], deadline);
}

/** When the pod will have been active for as long as it may. */
function deadlineOf({ pod, startTime }: PodState): number {
  const { activeDeadlineSeconds: seconds } = pod.spec;
  return seconds === undefined ? Infinity : startTime + seconds * 1_000;
}

/** There is one alarm: it rings for whatever comes first. */
function withOneWait(steps: readonly Step[], deadline: number): Step[] {
  const waits = steps.flatMap((step) => (step.type === 'wait' ? [step.untilMs] : []));
  const untilMs = Math.min(deadline, ...waits);
  const others = steps.filter(({ type }) => type !== 'wait');
  return untilMs < Infinity ? [...others, { type: 'wait', untilMs }] : others;
}

function planEnd(state: PodState): Step[] {
  const stops = runningOf(state).map(({ name }): Step => ({ type: 'stop', container: name, why: 'the pod ends' }));
  if (stops.length > 0) return stops;
  return state.sandbox ? [{ type: 'remove-sandbox' }] : [{ type: 'release' }];
}

/** All containers have ended for good: what is left running stops, the sandbox goes, the object stays. */
function planFinished(state: PodState): Step[] {
  const stops = runningOf(state).map(({ name }): Step => ({
    type: 'stop',
    container: name,
    why: 'the pod has finished',
  }));
  if (stops.length > 0) return stops;
  return state.sandbox ? [{ type: 'remove-sandbox' }] : [];
}

function planContainers(state: PodState, now: number): Step[] {
  const { pod } = state;
  for (const container of pod.spec.initContainers ?? []) {
    const { life } = containerOf(state, container.name);
    if (life.type === 'running') return [];
    if (life.type === 'terminated' && life.exitCode === 0) continue;
    return [startOrWait(state, container, { isInit: true, now })];
  }
  return pod.spec.containers.flatMap((container) => planContainer(state, container, now));
}

function planContainer(state: PodState, container: Container, now: number): Step[] {
  const { life } = containerOf(state, container.name);
  if (life.type === 'running') return [];
  if (life.type === 'terminated' && !restarts(state.pod, life.exitCode)) return [];
  return [startOrWait(state, container, { isInit: false, now })];
}

function startOrWait(state: PodState, container: Container, { isInit, now }: { isInit: boolean; now: number }): Step {
  const { notBefore } = containerOf(state, container.name);
  return now >= notBefore ? { type: 'start', container, isInit } : { type: 'wait', untilMs: notBefore };
}

function restarts({ spec }: Pod, exitCode: number): boolean {
  const policy = spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

export type PodOutcome = 'running' | 'succeeded' | 'failed';

/**
 * Whether a pod that may end by itself has. One that was made to end has too, whatever its policy, once nothing is left
 * of it here: whoever waits for its end before the object goes, such as a Job, is told how it was.
 */
export function podOutcome(state: PodState): PodOutcome {
  const { spec } = state.pod;
  if (state.expiredSince !== undefined) return 'failed';
  if (state.endingSince !== undefined && !state.sandbox) {
    const isDone = spec.containers.every(({ name }) => hasSucceeded(state, name));
    return isDone ? 'succeeded' : 'failed';
  }
  const policy = spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return 'running';
  if (policy === 'Never' && (spec.initContainers ?? []).some(({ name }) => hasFailed(state, name))) return 'failed';
  const lives = spec.containers.map(({ name }) => containerOf(state, name).life);
  const codes = lives.map((life) => (life.type === 'terminated' ? life.exitCode : undefined));
  if (codes.some((code) => code === undefined)) return 'running';
  if (codes.every((code) => code === 0)) return 'succeeded';
  return policy === 'Never' ? 'failed' : 'running';
}

function hasSucceeded(state: PodState, name: string): boolean {
  const { life } = containerOf(state, name);
  return life.type === 'terminated' && life.exitCode === 0;
}

function hasFailed(state: PodState, name: string): boolean {
  const { life } = containerOf(state, name);
  return life.type === 'terminated' && life.exitCode !== 0;
}

function containerOf(state: PodState, name: string): ContainerState {
  const found = state.containers[name];
  if (!found) throw new Error(`pod ${state.pod.metadata.name ?? ''} has no container ${name}`);
  return found;
}

function runningOf(state: PodState): ContainerState[] {
  return Object.values(state.containers).filter(({ life }) => life.type === 'running');
}

/**
 * The back-off after a container ended: none the first time, then 10 s doubling to 5 minutes. A life of more than ten
 * minutes starts the count anew.
 */
export function restartBackoff(failures: number, ranForMs: number): { failures: number; delayMs: number } {
  if (ranForMs >= RESTART_FORGET_MS) return { failures: 1, delayMs: 0 };
  const delayMs = failures === 0 ? 0 : Math.min(RESTART_BACKOFF_MAX_MS, RESTART_BACKOFF_BASE_MS * 2 ** (failures - 1));
  return { failures: failures + 1, delayMs };
}
