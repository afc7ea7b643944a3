/** Keeps the Services of every revision and where they lead; see `plan.ts`. */
import { Controller, controllerOwner, labelled, watching } from '#controller/controller.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { keyOf, nameOf, namespaceOf, type Stored } from '#kube/object.ts';
import { serverlessServiceConditions } from '#knative/conditions.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { SKS_LABEL } from '#knative/labels.ts';
import { privateServiceName } from '#knative/names.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { reconcileKind } from '#serving/reconcile-kind.ts';
import { planServerlessService, type SksWorld } from '#serving/serverless-service/plan.ts';
import { keyIn, namesIn, watchingWhen } from '#serving/sources.ts';

const BY_DEPLOYMENT = 'deployment';

export function createServerlessServiceController(environment: ServingEnvironment): Controller {
  const { caches } = environment;
  const all = caches.of(ServerlessService);
  all.addIndex(BY_DEPLOYMENT, (sks) => namesIn(namespaceOf(sks), [sks.spec.objectRef.name]));
  return new Controller({
    ...environment,
    name: 'serverlessservice',
    sources: [
      watching(all),
      watching(caches.of(Service), controllerOwner(ServerlessService)),
      // The endpoints controller copies the Service's labels, so private Endpoints are found by theirs.
      watching(caches.of(Endpoints), labelled(SKS_LABEL)),
      watchingWhen(
        caches.of(Deployment),
        ({ type }) => type === 'added',
        (deployment) => all.byIndex(BY_DEPLOYMENT, keyOf(deployment)).map(keyOf),
      ),
    ],
    reconcile: reconcileKind(environment, {
      kind: ServerlessService,
      conditions: serverlessServiceConditions,
      events: environment.eventsOf('serverlessservice-controller'),
      durability: () => 'derived',
      plan: (sks, draft) => planServerlessService(worldOf(environment, sks), draft),
    }),
  });
}

function worldOf({ caches, activatorEndpoints }: ServingEnvironment, sks: Stored<ServerlessService>): SksWorld {
  const ownKey = keyOf(sks);
  const privateKey = keyIn(sks, privateServiceName(nameOf(sks)));
  return {
    sks,
    deployment: caches.of(Deployment).byKey(keyIn(sks, sks.spec.objectRef.name ?? '')),
    privateService: caches.of(Service).byKey(privateKey),
    publicService: caches.of(Service).byKey(ownKey),
    privateEndpoints: caches.of(Endpoints).byKey(privateKey),
    publicEndpoints: caches.of(Endpoints).byKey(ownKey),
    activators: activatorEndpoints(),
  };
}
