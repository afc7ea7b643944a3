/** Makes the Revisions of every Configuration and follows which are ready; see `plan.ts`. */
import { Controller, controllerOwner, watching } from '#controller/controller.ts';
import { keyOf, labelsOf, namespaceOf, type Stored } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';
import { configurationConditions } from '#knative/conditions.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { CONFIGURATION_LABEL } from '#knative/labels.ts';
import {
  type ConfigurationDraft,
  type ConfigurationWorld,
  markCreationFailed,
  planConfiguration,
} from '#serving/configuration/plan.ts';
import type { ServingEnvironment } from '#serving/environment.ts';
import { reconcileKind } from '#serving/reconcile-kind.ts';
import { isMoreThanScale, keyIn, namesIn, watchingWhen } from '#serving/sources.ts';

/** Index of Revisions by the Configuration that their label names: `NAMESPACE/NAME`. */
export const BY_CONFIGURATION = 'configuration';
const BY_TEMPLATE_NAME = 'template-name';

export function indexByConfiguration({ caches }: ServingEnvironment): void {
  const label = (revision: Revision) => labelsOf(revision)[CONFIGURATION_LABEL];
  caches.of(Revision).addIndex(BY_CONFIGURATION, (one) => namesIn(namespaceOf(one), [label(one)]));
}

export function createConfigurationController(environment: ServingEnvironment): Controller {
  const { caches, clock } = environment;
  const configurations = caches.of(Configuration);
  indexByConfiguration(environment);
  configurations.addIndex(BY_TEMPLATE_NAME, (one) => namesIn(namespaceOf(one), [one.spec.template.metadata?.name]));
  const owner = controllerOwner<Revision>(Configuration);
  return new Controller({
    ...environment,
    name: 'configuration',
    sources: [
      watching(configurations),
      watchingWhen(caches.of(Revision), isMoreThanScale, (object) => owner({ type: 'added', object })),
      // A name that was taken may become free.
      watchingWhen(
        caches.of(Revision),
        ({ type }) => type === 'deleted',
        (revision) => configurations.byIndex(BY_TEMPLATE_NAME, keyOf(revision)).map(keyOf),
      ),
    ],
    reconcile: reconcileKind(environment, {
      kind: Configuration,
      conditions: configurationConditions,
      events: environment.eventsOf('configuration-controller'),
      plan: (configuration, draft) => planConfiguration(worldOf(environment, configuration), draft, clock.now()),
      onFailure: markFailure,
    }),
  });
}

function worldOf({ caches }: ServingEnvironment, configuration: Stored<Configuration>): ConfigurationWorld {
  const revisions = caches.of(Revision);
  const named = configuration.spec.template.metadata?.name;
  return {
    configuration,
    revisions: revisions.byIndex(BY_CONFIGURATION, keyOf(configuration)),
    namedRevision: named ? revisions.byKey(keyIn(configuration, named)) : undefined,
  };
}

/** Lost races carry no cause and settle themselves; anything else the user must know. */
function markFailure(error: unknown, draft: ConfigurationDraft, { status }: Configuration): void {
  draft.status.latestCreatedRevisionName = status?.latestCreatedRevisionName;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof StatusError) markCreationFailed(draft, cause.message);
}
