/**
 * Assigns pods to this machine's node, when their requests fit into what is free; otherwise they stay Pending with
 * the reason in the condition PodScheduled, and are tried again when a pod ends or the node changes.
 *
 * Pods of another scheduler (`spec.schedulerName`) and pods that name a node themselves are left alone.
 */
import { deepEqual } from '#base/json.ts';
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { PodCondition } from '#kube/kinds/core/pod-status.ts';
import { isBeingDeleted, keyOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { isNotFound } from '#kube/status.ts';
import { formatTime } from '#kube/time.ts';
import { isPodFinished, podCondition } from '#workloads/pods.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';
import { planAssignment } from '#workloads/scheduler/plan.ts';

const DEFAULT_SCHEDULER = 'default-scheduler';

/** Pods that wait for room are tried again after this long, besides whenever a pod ends. */
const RETRY_MS = 5_000;

export function createScheduler(environment: WorkloadEnvironment): Controller {
  const { caches } = environment;
  const reconciler = new SchedulerReconciler(environment, environment.eventsOf(DEFAULT_SCHEDULER));
  const pods = caches.of(Pod);
  const waiting = () => pods.list().filter(isWaiting).map(keyOf);
  return new Controller({
    ...environment,
    name: 'scheduler',
    isUrgent: true,
    sources: [
      watching(pods, ({ type, object }) => (type === 'deleted' || isPodFinished(object) ? waiting() : [keyOf(object)])),
      watching(caches.of(Node), waiting),
    ],
    reconcile: (key) => reconciler.reconcile(key),
  });
}

function isWaiting(pod: Pod): boolean {
  const scheduler = pod.spec.schedulerName ?? DEFAULT_SCHEDULER;
  return !pod.spec.nodeName && scheduler === DEFAULT_SCHEDULER && !isBeingDeleted(pod) && !isPodFinished(pod);
}

class SchedulerReconciler {
  readonly #environment: WorkloadEnvironment;
  readonly #events: EventRecorder;

  constructor(environment: WorkloadEnvironment, events: EventRecorder) {
    this.#environment = environment;
    this.#events = events;
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const { caches } = this.#environment;
    const pod = caches.of(Pod).byKey(key);
    if (!pod || !isWaiting(pod)) return;
    const others = caches
      .of(Pod)
      .list()
      .filter((other) => other.spec.nodeName && !isPodFinished(other));
    const assignment = planAssignment(pod, caches.of(Node).list(), others);
    if (assignment.nodeName !== undefined) return this.#bind(pod, assignment.nodeName);
    await this.#refuse(pod, assignment.message);
    return { requeueAfterMs: RETRY_MS };
  }

  async #bind(pod: Stored<Pod>, nodeName: string): Promise<void> {
    const { client } = this.#environment;
    const { namespace, name, uid } = pod.metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target };
    try {
      await client.derived.createSubresource(Pod, { namespace, name }, { subresource: 'binding', body });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    this.#events.normal(pod, 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${nodeName}`);
  }

  async #refuse(pod: Stored<Pod>, message: string): Promise<void> {
    const { client, clock } = this.#environment;
    const known = podCondition(pod, 'PodScheduled');
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.now());
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      lastTransitionTime,
      reason: 'Unschedulable',
      message,
    };
    if (deepEqual(known, condition)) return;
    const { namespace, name } = pod.metadata;
    const body = { status: { conditions: [condition] } };
    await client.derived.patch(Pod, { namespace, name }, { type: 'strategic', body, subresource: 'status' });
    this.#events.warning(pod, 'FailedScheduling', message);
  }
}
