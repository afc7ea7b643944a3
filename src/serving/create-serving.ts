/** All controllers of Knative Serving but the autoscaler's and the ingress'. */
import type { Controller } from '#controller/controller.ts';
import { createConfigurationController } from '#serving/configuration/reconcile.ts';
import { createDomainMappingController } from '#serving/domain-mapping/reconcile.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { createRevisionCollector } from '#serving/gc/reconcile.ts';
import { createLabeler } from '#serving/labeler/reconcile.ts';
import { createRevisionController } from '#serving/revision/reconcile.ts';
import { createRouteController } from '#serving/route/reconcile.ts';
import { createServerlessServiceController } from '#serving/serverless-service/reconcile.ts';
import { createServiceController } from '#serving/service/reconcile.ts';

/** Start them once the caches have their first lists. */
export function createServingControllers(environment: ServingEnvironment): Controller[] {
  return [
    createServiceController(environment),
    createConfigurationController(environment),
    createRevisionController(environment),
    createRouteController(environment),
    createLabeler(environment),
    createRevisionCollector(environment),
    createServerlessServiceController(environment),
    createDomainMappingController(environment),
  ];
}
