/** Keeps Configuration and Route of every Service; see `plan.ts`. */
import { Controller, controllerOwner, watching } from '#controller/controller.ts';
import { keyOf, namespaceOf, type Stored } from '#kube/object.ts';
import { serviceConditions } from '#knative/conditions.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { reconcileKind } from '#serving/reconcile-kind.ts';
import { planService, type ServiceWorld } from '#serving/service/plan.ts';
import { keyIn, namesIn, watchingWhen } from '#serving/sources.ts';

const BY_TEMPLATE_NAME = 'template-name';

export function createServiceController(environment: ServingEnvironment): Controller {
  const { caches } = environment;
  const services = caches.of(Service);
  services.addIndex(BY_TEMPLATE_NAME, (one) => namesIn(namespaceOf(one), [one.spec.template.metadata?.name]));
  return new Controller({
    ...environment,
    name: 'service',
    sources: [
      watching(services),
      watching(caches.of(Configuration), controllerOwner(Service)),
      watching(caches.of(Route), controllerOwner(Service)),
      // A name that was taken may become free.
      watchingWhen(
        caches.of(Revision),
        ({ type }) => type === 'deleted',
        (revision) => services.byIndex(BY_TEMPLATE_NAME, keyOf(revision)).map(keyOf),
      ),
    ],
    reconcile: reconcileKind(environment, {
      kind: Service,
      conditions: serviceConditions,
      events: environment.eventsOf('service-controller'),
      plan: (service, draft) => planService(worldOf(environment, service), draft),
    }),
  });
}

function worldOf({ caches }: ServingEnvironment, service: Stored<Service>): ServiceWorld {
  const key = keyOf(service);
  const named = service.spec.template.metadata?.name;
  return {
    service,
    configuration: caches.of(Configuration).byKey(key),
    route: caches.of(Route).byKey(key),
    namedRevision: named ? caches.of(Revision).byKey(keyIn(service, named)) : undefined,
  };
}
