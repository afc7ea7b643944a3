/**
 * A Route gives hosts to Revisions: it says who gets what share, holds the names inside the cluster, and has an
 * Ingress carry it out. While a target is missing or not ready nothing downstream changes: what served keeps serving.
 *
 *     traffic → placeholder Services → certificates → Ingress (with the rollout's shares) → placeholders at the balancer
 */
import { deepEqual } from '#base/json.ts';
import type { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import { annotationsOf, nameOf, type Stored } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';
import { findCondition, isReady, READY, type routeConditions } from '#knative/conditions.ts';
import { parseDurationMs } from '#kube/duration.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import type { Route } from '#knative/kinds/route.ts';
import { ROLLOUT_ANNOTATION, ROLLOUT_DURATION_KEYS, valueByKeys } from '#knative/labels.ts';
import { withContentOf } from '#serving/content.ts';
import type { Draft, NamesOf, Plan } from '#serving/draft.ts';
import { DomainNameError, NOT_OWNED, notOwned } from '#serving/errors.ts';
import { hostLabel, isPrivateRoute, localHost, urlOf, visibleHost, type Visibility } from '#serving/route/hosts.ts';
import { desiredIngress, type IngressSettings } from '#serving/route/ingress.ts';
import { isMarkedPrivate, type Placeholder, planOrphans, planPlaceholder } from '#serving/route/placeholder.ts';
import { isRolloutDone, observeReady, parseRollout, type Rollout, stepRollout } from '#serving/route/rollout.ts';
import {
  goalOf,
  isProblem,
  planTraffic,
  reportTraffic,
  type Traffic,
  type TrafficWorld,
} from '#serving/route/traffic.ts';
import { create, type Step, update } from '#serving/steps.ts';

export type RouteStatus = NonNullable<Route['status']>;
export type RouteDraft = Draft<RouteStatus, NamesOf<typeof routeConditions>>;

export interface RouteWorld extends TrafficWorld {
  readonly route: Stored<Route>;
  readonly ingress?: Stored<Ingress> | undefined;
  /** Services of the Route's namespace, by name. */
  readonly service: (name: string) => Stored<Service> | undefined;
  readonly endpoints: (name: string) => Stored<Endpoints> | undefined;
  /** Services that carry the Route's label. */
  readonly placeholders: readonly Stored<Service>[];
}

const NS_PER_MS = 1_000_000;
const MS_PER_S = 1_000;

const NOT_CONFIGURED = { reason: 'IngressNotConfigured', message: 'Ingress has not yet been reconciled.' };
const IN_PROGRESS = {
  reason: 'RolloutInProgress',
  message: 'A gradual rollout of the latest revision(s) is in progress.',
};
const TLS_NOT_ENABLED = { reason: 'TLSNotEnabled', message: 'external-domain-tls is not enabled' };

export function planRoute(
  world: RouteWorld,
  draft: RouteDraft,
  at: { settings: IngressSettings; nowMs: number },
): Plan {
  const { route } = world;
  // A new generation may lead elsewhere; what the Ingress says is about the old one until it has been brought along.
  if (route.metadata.generation !== route.status?.observedGeneration) {
    draft.conditions.markUnknown('IngressReady', NOT_CONFIGURED);
  }
  try {
    return new RoutePlanner(world, draft, at).plan();
  } catch (error) {
    if (!(error instanceof DomainNameError)) throw error;
    draft.conditions.markFalse('AllTrafficAssigned', { reason: 'ErrorConfig', message: error.message });
    return { steps: [], failure: error };
  }
}

class RoutePlanner {
  readonly #world: RouteWorld;
  readonly #draft: RouteDraft;
  readonly #settings: IngressSettings;
  readonly #nowMs: number;

  constructor(world: RouteWorld, draft: RouteDraft, { settings, nowMs }: { settings: IngressSettings; nowMs: number }) {
    this.#world = world;
    this.#draft = draft;
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  plan(): Plan {
    const { status, conditions } = this.#draft;
    const { route } = this.#world;
    const traffic = planTraffic(this.#world);
    status.url = this.#urlOf('');
    if (isProblem(traffic)) {
      conditions.copy('AllTrafficAssigned', traffic);
      return { steps: [] };
    }
    status.traffic = reportTraffic(traffic, {}, (tag) => this.#urlOf(tag));
    conditions.markTrue('AllTrafficAssigned');
    status.address = { url: `http://${localHost(route, '', this.#settings)}` };
    const taken = this.#takenPlaceholder(traffic);
    if (taken) return taken;
    conditions.markTrue('CertificateProvisioned', TLS_NOT_ENABLED);
    return this.#planDownstream(traffic);
  }

  #planDownstream(traffic: Traffic): Plan {
    const { rollout, nextStepNs } = this.#rolloutOf(traffic);
    const ingressSteps = this.#planIngress(traffic, rollout);
    const steps = [...this.#planPlaceholders(traffic), ...ingressSteps];
    if (isRolloutDone(rollout)) return { steps };
    this.#draft.conditions.markUnknown('IngressReady', IN_PROGRESS);
    this.#draft.status.traffic = reportTraffic(traffic, rollout, (tag) => this.#urlOf(tag));
    if (nextStepNs === undefined) return { steps };
    return { steps, requeueAfterMs: Math.max(0, nextStepNs / NS_PER_MS - this.#nowMs) };
  }

  #visibilityOf(tag: string): Visibility {
    const { route, service } = this.#world;
    const placeholder = service(hostLabel(route, tag, this.#settings));
    const isPrivate = isPrivateRoute(route, this.#settings) || isMarkedPrivate(placeholder);
    return isPrivate ? 'ClusterLocal' : 'ExternalIP';
  }

  #hostOf(tag: string): string {
    return visibleHost(this.#world.route, tag, { ...this.#settings, visibility: this.#visibilityOf(tag) });
  }

  #urlOf(tag: string): string {
    return urlOf(this.#hostOf(tag), this.#visibilityOf(tag), this.#settings.network);
  }

  #placeholders(traffic: Traffic): Placeholder[] {
    const { route, service, endpoints } = this.#world;
    return [...traffic.byTag.keys()].map((tag) => {
      const name = hostLabel(route, tag, this.#settings);
      return { name, service: service(name), endpoints: endpoints(name) };
    });
  }

  /** A name that somebody else holds stops the Route: requests for it would go astray. */
  #takenPlaceholder(traffic: Traffic): Plan | undefined {
    const { route } = this.#world;
    for (const { name, service, endpoints } of this.#placeholders(traffic)) {
      const isServiceTaken = service !== undefined && !isControlledBy(service, route);
      const isTaken = isServiceTaken || (endpoints !== undefined && !isControlledBy(endpoints, route));
      if (!isTaken) continue;
      const what = isServiceTaken ? 'Service' : 'Endpoint';
      const message = `There is an existing placeholder ${what} "${name}" that we do not own.`;
      this.#draft.conditions.markFalse('IngressReady', { reason: NOT_OWNED, message });
      const child = `${isServiceTaken ? 'Service' : 'Endpoints'}: "${name}"`;
      return { steps: [], failure: notOwned(`route: "${nameOf(route)}"`, child) };
    }
    return undefined;
  }

  #planPlaceholders(traffic: Traffic): Step[] {
    const { route, ingress, placeholders } = this.#world;
    const all = this.#placeholders(traffic);
    const tags = [...traffic.byTag.keys()];
    const steps = all.flatMap((placeholder, index) =>
      planPlaceholder({ route, placeholder, ingress, publicHost: this.#hostOf(tags[index] ?? '') }),
    );
    return [...steps, ...planOrphans(placeholders, new Set(all.map(({ name }) => name)))];
  }

  #planIngress(traffic: Traffic, rollout: Rollout): Step[] {
    const { route, ingress } = this.#world;
    const { conditions } = this.#draft;
    const input = { route, traffic, rollout, visibility: (tag: string) => this.#visibilityOf(tag) };
    const desired = desiredIngress(input, this.#settings);
    if (!ingress) {
      conditions.markUnknown('IngressReady', NOT_CONFIGURED);
      const created = `Created Ingress "${nameOf(desired)}"`;
      const announce = { about: route, created, failed: 'Failed to create Ingress' };
      return [create(Ingress, desired, { announce, doing: 'failed to create Ingress' })];
    }
    const changed = withContentOf(ingress, desired);
    const isObserved = ingress.metadata.generation === ingress.status?.observedGeneration;
    if (!isObserved || !deepEqual(ingress.spec, changed.spec)) conditions.markUnknown('IngressReady', NOT_CONFIGURED);
    else if (isRolloutDone(rollout)) this.#copyIngress(ingress);
    return deepEqual(ingress, changed) ? [] : [update(Ingress, changed, { doing: 'failed to update Ingress' })];
  }

  #copyIngress({ status }: Ingress): void {
    const ready = findCondition(status, READY);
    if (ready?.status === 'True') this.#draft.conditions.markTrue('IngressReady');
    else if (ready) this.#draft.conditions.copy('IngressReady', ready);
    else this.#draft.conditions.markUnknown('IngressReady', NOT_CONFIGURED);
  }

  #rolloutOf(traffic: Traffic): { rollout: Rollout; nextStepNs?: number | undefined } {
    const { route, ingress } = this.#world;
    const goal = goalOf(traffic);
    const durationS = rolloutSeconds(route) || this.#settings.network.rolloutDurationSeconds;
    if (durationS <= 0 || !ingress) return { rollout: goal };
    const nowNs = this.#nowMs * NS_PER_MS;
    const previous = parseRollout(annotationsOf(ingress)[ROLLOUT_ANNOTATION]);
    const becameReady = isReady(ingress) && this.#draft.conditions.get('IngressReady')?.status !== 'True';
    const paced = previous && becameReady ? observeReady(previous, nowNs, durationS) : previous;
    return stepRollout(goal, paced, nowNs);
  }
}

/** Seconds; 0 when the Route says nothing. */
function rolloutSeconds(route: Route): number {
  const duration = parseDurationMs(valueByKeys(annotationsOf(route), ROLLOUT_DURATION_KEYS) ?? '0');
  return typeof duration === 'number' ? Math.trunc(duration / MS_PER_S) : 0;
}
