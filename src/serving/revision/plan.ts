/**
 * A Revision becomes a Deployment, a note per image, and a PodAutoscaler; its conditions tell how they fare.
 *
 * The images' digests are in the status by then: they are looked up once, before anything is made, so that all pods of
 * a Revision run the same program whatever its tag means later.
 */
import { deepEqual } from '#base/json.ts';
import type { Durability } from '#client/transport.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { nameOf, type Stored, uidOf } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';
import type { KnativeConfig } from '#knative/config/all.ts';
import { isReady, READY } from '#knative/conditions.ts';
import { Image } from '#knative/kinds/image.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { deploymentName } from '#knative/names.ts';
import type { Note, Plan } from '#serving/draft.ts';
import { NOT_OWNED, notOwned, notOwnedMessage } from '#serving/errors.ts';
import { desiredDeployment, updatedDeployment } from '#serving/revision/deployment.ts';
import {
  DEPLOYING,
  isFailing,
  reportDeployment,
  progressOf,
  reportPodAutoscaler,
  reportPods,
  type RevisionDraft,
  type RevisionStatus,
} from '#serving/revision/health.ts';
import { desiredImages } from '#serving/revision/image-cache.ts';
import { desiredPodAutoscaler, updatedPodAutoscaler } from '#serving/revision/pod-autoscaler.ts';
import { create, type Step, update } from '#serving/steps.ts';

export interface RevisionWorld {
  readonly revision: Stored<Revision>;
  readonly deployment?: Stored<Deployment> | undefined;
  readonly podAutoscaler?: Stored<PodAutoscaler> | undefined;
  readonly pods: readonly Stored<Pod>[];
  readonly hasImage: (name: string) => boolean;
}

export function planRevision(world: RevisionWorld, draft: RevisionDraft, config: KnativeConfig): Plan {
  // What is made carries the digests that this very reconcile may have found.
  const revision = { ...world.revision, status: draft.status };
  draft.status.logUrl = logUrlOf(revision, config);
  const deployed = planDeployment(world, revision, { draft, config });
  if (deployed.failure) return deployed;
  const images = desiredImages(revision)
    .filter((image) => !world.hasImage(nameOf(image)))
    .map((image) => create(Image, image, { as: 'derived', doing: `failed to create image cache "${nameOf(image)}"` }));
  const scaled = planPodAutoscaler(world, revision, { draft, config });
  const steps = [...deployed.steps, ...images, ...scaled.steps];
  if (scaled.failure) return { steps, failure: scaled.failure };
  return { steps, notes: readyNotes(world, draft) };
}

interface At {
  readonly draft: RevisionDraft;
  readonly config: KnativeConfig;
}

function logUrlOf(revision: Revision, { observability }: KnativeConfig): string | undefined {
  const template = observability.loggingUrlTemplate;
  return template === '' ? undefined : template.replaceAll('${REVISION_UID}', uidOf(revision));
}

function planDeployment({ deployment, pods }: RevisionWorld, revision: Stored<Revision>, { draft, config }: At): Plan {
  const name = deploymentName(nameOf(revision));
  if (!deployment) {
    draft.conditions.markUnknown('ResourcesAvailable', DEPLOYING);
    draft.conditions.markUnknown('ContainerHealthy', DEPLOYING);
    const doing = `failed to create deployment "${name}"`;
    return { steps: [create(Deployment, desiredDeployment(revision, config), { doing })] };
  }
  if (!isControlledBy(deployment, revision)) return takenBy('Deployment', name, { draft, revision });
  reportDeployment(deployment, draft);
  reportPods(deployment, pods, { draft, config: config.deployment });
  if ((deployment.status?.readyReplicas ?? 0) > 0) draft.conditions.markTrue('ContainerHealthy');
  const changed = updatedDeployment(deployment, desiredDeployment(revision, config));
  return { steps: changed ? [update(Deployment, changed, { doing: `failed to update deployment "${name}"` })] : [] };
}

function takenBy(kind: string, name: string, at: { draft: RevisionDraft; revision: Revision }): Plan {
  at.draft.conditions.markFalse('ResourcesAvailable', { reason: NOT_OWNED, message: notOwnedMessage(kind, name) });
  return { steps: [], failure: notOwned(`revision: "${nameOf(at.revision)}"`, `${kind}: "${name}"`) };
}

function planPodAutoscaler(world: RevisionWorld, revision: Stored<Revision>, { draft, config }: At): Plan {
  const { deployment, podAutoscaler, pods } = world;
  const name = nameOf(revision);
  if (podAutoscaler && !isControlledBy(podAutoscaler, revision)) {
    return takenBy('PodAutoscaler', name, { draft, revision });
  }
  reportPodAutoscaler(podAutoscaler, draft, progressOf(pods));
  const { autoscaler } = config;
  const desired = desiredPodAutoscaler({ revision, deployment, hasFailed: isFailing(draft), autoscaler });
  if (!podAutoscaler) return { steps: [create(PodAutoscaler, desired, { doing: `failed to create PA "${name}"` })] };
  const changed = updatedPodAutoscaler(podAutoscaler, desired, revision);
  const steps: Step[] = changed ? [update(PodAutoscaler, changed, { doing: `failed to update PA "${name}"` })] : [];
  return { steps };
}

function readyNotes({ revision }: RevisionWorld, draft: RevisionDraft): Note[] {
  if (isReady(revision) || draft.conditions.get(READY)?.status !== 'True') return [];
  const message = 'Revision becomes ready upon all resources being ready';
  return [{ type: 'Normal', reason: 'RevisionReady', message }];
}

/**
 * A status that only tells again how many pods there are follows from the PodAutoscaler, which tells it anew after a
 * crash: it need not be on disk, and so a cold start waits for no disk. Anything else (digests, whether it ever became
 * ready, why it failed) is history.
 */
export function statusDurability(before: RevisionStatus | undefined, after: RevisionStatus): Durability {
  return deepEqual(withoutScale(before ?? {}), withoutScale(after)) ? 'derived' : 'durable';
}

function withoutScale({ actualReplicas: _, desiredReplicas: __, conditions = [], ...rest }: RevisionStatus): unknown {
  return { ...rest, conditions: conditions.filter(({ type }) => type !== 'Active') };
}
