/** Deletes old Revisions of every Configuration; see `plan.ts`. */
import { Controller, controllerOwner, watching } from '#controller/controller.ts';
import { onConfigChange } from '#controller/live-configs.ts';
import { isBeingDeleted, keyOf } from '#kube/object.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { BY_CONFIGURATION, indexByConfiguration } from '#serving/configuration/reconcile.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { planGarbage } from '#serving/gc/plan.ts';
import { isMoreThanScale, watchingWhen } from '#serving/sources.ts';
import { applySteps, remove } from '#serving/steps.ts';

export function createRevisionCollector(environment: ServingEnvironment): Controller {
  const { caches, client, clock, configs } = environment;
  const configurations = caches.of(Configuration);
  const revisions = caches.of(Revision);
  indexByConfiguration(environment);
  const events = environment.eventsOf('revision-gc-controller');
  const owner = controllerOwner<Revision>(Configuration);
  return new Controller({
    ...environment,
    name: 'revision-gc',
    sources: [
      watching(configurations),
      watchingWhen(revisions, isMoreThanScale, (object) => owner({ type: 'added', object })),
      onConfigChange(configs, ['config-gc'], () => configurations.list().map(keyOf)),
    ],
    async reconcile(key) {
      const configuration = configurations.byKey(key);
      if (!configuration || isBeingDeleted(configuration)) return undefined;
      const world = { configuration, revisions: revisions.byIndex(BY_CONFIGURATION, key) };
      const now = clock.now();
      const { doomed, nextCheckMs } = planGarbage(world, configs.current.gc, now);
      const present = doomed.filter((revision) => !isBeingDeleted(revision));
      const steps = present.map(({ metadata: { namespace, name } }) => remove(Revision, { namespace, name }));
      await applySteps(steps, { client, events });
      return nextCheckMs === undefined ? undefined : { requeueAfterMs: nextCheckMs - now };
    },
  });
}
