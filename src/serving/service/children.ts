/** The Configuration and the Route that a Service stands for. Pure. */
import { clone } from '#base/json.ts';
import { typed } from '#kube/kind.ts';
import { annotationsOf, labelsOf, nameOf, uidOf } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Route } from '#knative/kinds/route.ts';
import type { Service } from '#knative/kinds/service.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import {
  LAST_APPLIED_ANNOTATION,
  ROLLOUT_DURATION_KEYS,
  ROUTES_ANNOTATION,
  SERVICE_LABEL,
  SERVICE_UID_LABEL,
  withoutKeys,
} from '#knative/labels.ts';
import { addToList } from '#serving/annotation-list.ts';

const LAST_APPLIED = [LAST_APPLIED_ANNOTATION] as const;

/**
 * The routes annotation is there from the start, so that the first Revision is born active; routes that are in it
 * already stay, for other Routes may lead to the Configuration too.
 */
export function desiredConfiguration(service: Service, existing?: Configuration): Configuration {
  const routes = addToList(existing?.metadata.annotations?.[ROUTES_ANNOTATION], nameOf(service));
  return typed(Configuration, {
    metadata: {
      name: nameOf(service),
      namespace: service.metadata.namespace,
      labels: { ...labelsOf(service), [SERVICE_LABEL]: nameOf(service), [SERVICE_UID_LABEL]: uidOf(service) },
      annotations: {
        ...withoutKeys(annotationsOf(service), LAST_APPLIED, ROLLOUT_DURATION_KEYS),
        [ROUTES_ANNOTATION]: routes,
      },
      ownerReferences: [controllerRefTo(service)],
    },
    spec: { template: clone(service.spec.template) },
  });
}

export function desiredRoute(service: Service): Route {
  return typed(Route, {
    metadata: {
      name: nameOf(service),
      namespace: service.metadata.namespace,
      labels: { ...labelsOf(service), [SERVICE_LABEL]: nameOf(service) },
      annotations: withoutKeys(annotationsOf(service), LAST_APPLIED),
      ownerReferences: [controllerRefTo(service)],
    },
    spec: { traffic: (service.spec.traffic ?? []).map((target) => ownTarget(target, nameOf(service))) },
  });
}

/** A target that names no Revision means the Service's own Configuration. */
function ownTarget(target: TrafficTarget, configurationName: string): TrafficTarget {
  return target.revisionName ? clone(target) : { ...clone(target), configurationName };
}
