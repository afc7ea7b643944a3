/**
 * Scales the target of a PodAutoscaler: gathers what `planScale` asks for from the caches, and does what it answers.
 *
 * `scaleUpNow` is the short way for a revision that somebody waits for: no queue, no other object is read from or
 * written to first. It only ever adds pods; whatever else there is to do is left to the reconcile that follows.
 */
import {
  type Activity,
  planScale,
  type ScalePlan,
  type ScaleSettings,
  type ScaleSituation,
} from '#autoscaler/apply-scale.ts';
import type { AutoscalerEnvironment } from '#autoscaler/environment.ts';
import { failedTo } from '#autoscaler/errors.ts';
import { resolveSettings, type ScalingSettings } from '#autoscaler/settings.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import {
  isBeingDeleted,
  keyOf,
  namespaceOf,
  nameOf,
  type ObjectKey,
  type ObjectRef,
  type Stored,
} from '#kube/object.ts';
import { notFound } from '#kube/status.ts';
import { parseTime } from '#kube/time.ts';
import { type Condition, findCondition, type StatusWithConditions } from '#knative/conditions.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';

/** Replicas of a Deployment that says nothing of them. */
const DEFAULT_REPLICAS = 1;

export interface ScaleRecord {
  readonly key: ObjectKey;
  readonly situation: ScaleSituation;
  readonly settings: ScaleSettings;
  readonly plan: ScalePlan;
}

export interface ScaleRequest {
  readonly podAutoscaler: Stored<PodAutoscaler>;
  /** The conditions as they are now; those of a reconcile under way may be newer than the object's. */
  readonly status: StatusWithConditions | undefined;
  readonly settings: ScalingSettings;
  /** The last decision, -1 for none. */
  readonly desired: number;
}

export interface ScalerOptions extends Pick<
  AutoscalerEnvironment,
  'client' | 'caches' | 'configs' | 'clock' | 'logger' | 'isBackedByActivator'
> {
  /** Told each plan. */
  readonly onPlan?: ((record: ScaleRecord) => void) | undefined;
}

export class Scaler {
  readonly #options: ScalerOptions;

  constructor(options: ScalerOptions) {
    this.#options = options;
    // Asked for now, so that both are there when the first reconcile looks.
    options.caches.of(Deployment);
    options.caches.of(ServerlessService);
  }

  /** Brings the target to what the decision, the bounds and the way to zero make of it now. */
  async scale(request: ScaleRequest): Promise<ScalePlan> {
    const plan = this.#plan(request);
    if (plan.action.type === 'none') return plan;
    const { podAutoscaler } = request;
    const target = targetOf(podAutoscaler);
    if (!this.#options.caches.of(Deployment).get(target)) {
      throw failedTo(`failed to get scale target ${target.name}`, notFound(Deployment, target.name));
    }
    const { replicas } = plan.action;
    try {
      await this.#apply(target, replicas);
    } catch (error) {
      throw failedTo(`failed to apply scale ${replicas} to scale target ${target.name}`, error);
    }
    return plan;
  }

  /** Adds pods at once, if the last decision asks for more than there are. */
  scaleUpNow(key: ObjectKey, desired: number): void {
    const { caches, configs, logger } = this.#options;
    const podAutoscaler = caches.of(PodAutoscaler).byKey(key);
    if (!podAutoscaler || isBeingDeleted(podAutoscaler) || desired <= 0) return;
    const settings = resolveSettings(podAutoscaler, configs.current);
    const plan = this.#plan({ podAutoscaler, status: podAutoscaler.status, settings, desired });
    const target = targetOf(podAutoscaler);
    const current = this.#replicasOf(target);
    if (plan.action.type === 'none' || current === undefined || plan.action.replicas <= current) return;
    this.#apply(target, plan.action.replicas).catch((error: unknown) => {
      logger.debug('scaling up at once failed; the reconcile does it', { key, error });
    });
  }

  #plan({ podAutoscaler, status, settings, desired }: ScaleRequest): ScalePlan {
    const { isBackedByActivator, onPlan } = this.#options;
    const services = this.#options.caches.of(ServerlessService).byKey(keyOf(podAutoscaler));
    const active = findCondition(status, 'Active');
    const isInitialised = findCondition(status, 'ScaleTargetInitialized')?.status === 'True';
    const proxied = findCondition(services?.status, 'ActivatorEndpointsPopulated');
    const situation: ScaleSituation = {
      desired,
      limits: { ...settings.limits, isInitialised },
      activity: activityOf(active),
      activityMs: this.#since(active),
      isProxyAsked: services?.spec?.mode === 'Proxy',
      proxiedMs: proxied?.status === 'True' ? this.#since(proxied) : 0,
      isBackedByActivator: isBackedByActivator({ namespace: namespaceOf(podAutoscaler), name: nameOf(podAutoscaler) }),
      currentReplicas: this.#replicasOf(targetOf(podAutoscaler)),
    };
    const plan = planScale(situation, settings.scale);
    onPlan?.({ key: keyOf(podAutoscaler), situation, settings: settings.scale, plan });
    return plan;
  }

  #replicasOf(target: ObjectRef): number | undefined {
    const deployment = this.#options.caches.of(Deployment).get(target);
    return deployment && (deployment.spec?.replicas ?? DEFAULT_REPLICAS);
  }

  async #apply(target: ObjectRef, replicas: number): Promise<void> {
    const body = [{ op: 'add', path: '/spec/replicas', value: replicas }];
    await this.#options.client.derived.patch(Deployment, target, { type: 'json', body, subresource: 'scale' });
  }

  /** How long a condition has been as it is, in ms. */
  #since(condition: Condition | undefined): number {
    const changed = parseTime(condition?.lastTransitionTime);
    return changed === undefined ? 0 : Math.max(0, this.#options.clock.now() - changed);
  }
}

export function activityOf(active: Pick<Condition, 'status'> | undefined): Activity {
  if (active?.status === 'True') return 'active';
  return active?.status === 'False' ? 'inactive' : 'activating';
}

function targetOf(podAutoscaler: PodAutoscaler): { namespace: string; name: string } {
  return { namespace: namespaceOf(podAutoscaler), name: podAutoscaler.spec?.scaleTargetRef?.name ?? '' };
}
