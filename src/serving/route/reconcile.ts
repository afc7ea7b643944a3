/** Gives every Route its hosts; see `plan.ts`. */
import type { Change } from '#client/cache.ts';
import { Controller, controllerOwner, watching } from '#controller/controller.ts';
import { onConfigChange } from '#controller/live-configs.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { keyOf, labelsOf, nameOf, namespaceOf, type Stored } from '#kube/object.ts';
import { routeConditions } from '#knative/conditions.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { ROUTE_LABEL } from '#knative/labels.ts';
import { ingressName } from '#knative/names.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { reconcileKind } from '#serving/reconcile-kind.ts';
import { planRoute, type RouteWorld } from '#serving/route/plan.ts';
import { indexTargets, routesTo } from '#serving/route/targets.ts';
import { isMoreThanScale, keyIn, namesIn, watchingWhen } from '#serving/sources.ts';

const BY_ROUTE_LABEL = 'route-label';

export function createRouteController(environment: ServingEnvironment): Controller {
  const { caches, clock, configs, clusterDomain } = environment;
  const routes = caches.of(Route);
  const services = caches.of(Service);
  indexTargets(routes);
  services.addIndex(BY_ROUTE_LABEL, (one) => namesIn(namespaceOf(one), [labelsOf(one)[ROUTE_LABEL]]));
  const owner = controllerOwner<Service>(Route);
  // The Service that held a placeholder's name against us is gone.
  const ownerOrNamesake = (change: Change<Service>) =>
    change.type === 'deleted' ? [...owner(change), keyOf(change.object)] : owner(change);
  return new Controller({
    ...environment,
    name: 'route',
    sources: [
      watching(routes),
      watching(services, ownerOrNamesake),
      watching(caches.of(Ingress), controllerOwner(Route)),
      watching(caches.of(Configuration), ({ object }) => routesTo(routes, object)),
      watchingWhen(caches.of(Revision), isMoreThanScale, (object) => routesTo(routes, object)),
      onConfigChange(configs, ['config-network', 'config-domain', 'config-features'], () => routes.list().map(keyOf)),
    ],
    reconcile: reconcileKind(environment, {
      kind: Route,
      conditions: routeConditions,
      events: environment.eventsOf('route-controller'),
      plan: (route, draft) => {
        const { network, domain, features } = configs.current;
        const settings = { network, domain, features, clusterDomain };
        return planRoute(worldOf(environment, route), draft, { settings, nowMs: clock.now() });
      },
    }),
  });
}

function worldOf({ caches }: ServingEnvironment, route: Stored<Route>): RouteWorld {
  return {
    route,
    revision: (name) => caches.of(Revision).byKey(keyIn(route, name)),
    configuration: (name) => caches.of(Configuration).byKey(keyIn(route, name)),
    ingress: caches.of(Ingress).byKey(keyIn(route, ingressName(nameOf(route)))),
    service: (name) => caches.of(Service).byKey(keyIn(route, name)),
    endpoints: (name) => caches.of(Endpoints).byKey(keyIn(route, name)),
    placeholders: caches.of(Service).byIndex(BY_ROUTE_LABEL, keyOf(route)),
  };
}
