/** Looks up the digests of every Revision, then deploys it; see `plan.ts`. */
import { deepEqual } from '#base/json.ts';
import type { Change } from '#client/cache.ts';
import { Controller, controllerOwner, watching } from '#controller/controller.ts';
import { onConfigChange } from '#controller/live-configs.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { keyOf, labelsOf, namespaceOf, nameOf, type Stored, uidOf } from '#kube/object.ts';
import { revisionConditions } from '#knative/conditions.ts';
import { Image } from '#knative/kinds/image.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { REVISION_LABEL, REVISION_UID_LABEL } from '#knative/labels.ts';
import { deploymentName } from '#knative/names.ts';
import type { Plan } from '#serving/draft.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { reconcileKind } from '#serving/reconcile-kind.ts';
import { type DigestAnswer, Digests } from '#serving/revision/digests.ts';
import type { RevisionDraft } from '#serving/revision/health.ts';
import { planRevision, type RevisionWorld, statusDurability } from '#serving/revision/plan.ts';
import { keyIn, watchingWhen } from '#serving/sources.ts';

const BY_REVISION_UID = 'revision-uid';

export function createRevisionController(environment: ServingEnvironment): Controller {
  const { caches, clock, configs } = environment;
  const revisions = caches.of(Revision);
  const pods = caches.of(Pod);
  pods.addIndex(BY_REVISION_UID, (pod) => [labelsOf(pod)[REVISION_UID_LABEL] ?? '']);
  const digests = new Digests({
    resolver: environment.digests,
    clock,
    settings: () => {
      const { digestResolutionTimeoutMs: timeoutMs, registriesSkippingTagResolving: skipped } =
        configs.current.deployment;
      return { timeoutMs, skipped };
    },
    onSettled: (key) => controller.enqueue(key),
  });
  const everything = () => revisions.list().map(keyOf);
  const shaping = ['config-network', 'config-observability', 'config-deployment', 'config-defaults'] as const;
  const controller = new Controller({
    ...environment,
    name: 'revision',
    sources: [
      watching(revisions),
      watching(caches.of(Deployment), controllerOwner(Revision)),
      watching(caches.of(PodAutoscaler), controllerOwner(Revision)),
      watchingWhen(pods, isFailureNews, (pod) => keysOfPod(pod)),
      onConfigChange(configs, shaping, everything),
      { start: () => {}, keys: () => [], [Symbol.dispose]: () => digests[Symbol.dispose]() },
    ],
    reconcile: reconcileKind(environment, {
      kind: Revision,
      conditions: revisionConditions,
      events: environment.eventsOf('revision-controller'),
      durability: statusDurability,
      plan: (revision, draft) => {
        const waiting = resolveDigests(revision, draft, digests);
        return waiting ?? planRevision(worldOf(environment, revision), draft, configs.current);
      },
      onGone: (key) => digests.forget(key),
    }),
  });
  return controller;
}

/** The plan to wait with, or undefined once the status has every digest. */
function resolveDigests(revision: Stored<Revision>, draft: RevisionDraft, digests: Digests): Plan | undefined {
  const { containers, initContainers = [] } = revision.spec;
  const { containerStatuses = [], initContainerStatuses = [] } = draft.status;
  if (containerStatuses.length + initContainerStatuses.length === containers.length + initContainers.length) {
    return undefined;
  }
  const answer = digests.ask({
    key: keyOf(revision),
    uid: uidOf(revision),
    images: [...initContainers, ...containers].map(({ image = '' }) => image),
    credentials: {
      namespace: namespaceOf(revision),
      serviceAccount: revision.spec.serviceAccountName ?? '',
      imagePullSecrets: (revision.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []),
    },
  });
  return takeAnswer(answer, revision, draft);
}

function takeAnswer(answer: DigestAnswer, { spec }: Revision, { status, conditions }: RevisionDraft): Plan | undefined {
  if (answer.state === 'pending') {
    conditions.markUnknown('ResourcesAvailable', { reason: 'ResolvingDigests', message: '' });
    return { steps: [] };
  }
  if (answer.state === 'failed') {
    conditions.markFalse('ContainerHealthy', { reason: 'ContainerMissing', message: answer.message });
    return { steps: [], failure: new Error(answer.message) };
  }
  const statusOf = ({ name = '', image = '' }: { name?: string | undefined; image?: string | undefined }) => {
    const imageDigest = answer.digests.get(image);
    return imageDigest ? { name, imageDigest } : { name };
  };
  status.containerStatuses = spec.containers.map(statusOf);
  if (spec.initContainers) status.initContainerStatuses = spec.initContainers.map(statusOf);
  return undefined;
}

function worldOf({ caches }: ServingEnvironment, revision: Stored<Revision>): RevisionWorld {
  return {
    revision,
    deployment: caches.of(Deployment).byKey(keyIn(revision, deploymentName(nameOf(revision)))),
    podAutoscaler: caches.of(PodAutoscaler).byKey(keyOf(revision)),
    pods: caches.of(Pod).byIndex(BY_REVISION_UID, uidOf(revision)),
    hasImage: (name) => caches.of(Image).byKey(keyIn(revision, name)) !== undefined,
  };
}

function keysOfPod(pod: Pod): string[] {
  const name = labelsOf(pod)[REVISION_LABEL];
  return name ? [keyIn(pod, name)] : [];
}

/** Something about why a pod does not come up changed; that it did come up is the Deployment's news. */
function isFailureNews({ type, object, previous }: Change<Pod>): boolean {
  return type === 'updated' && !deepEqual(troubles(object), troubles(previous));
}

function troubles(pod: Pod | undefined): unknown {
  const scheduled = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const containers = (pod?.status?.containerStatuses ?? []).map(({ state, lastState }) => ({
    waiting: state?.waiting,
    terminated: lastState?.terminated,
  }));
  const isUnscheduled = scheduled?.status === 'False';
  return {
    unscheduled: isUnscheduled ? { reason: scheduled.reason, message: scheduled.message } : undefined,
    containers,
    message: pod?.status?.message,
  };
}
