/**
 * A Configuration makes one Revision per generation and knows which one is the newest and which the newest that is
 * ready. A newer Revision that fails does not dethrone an older one that is ready; only Ready says so.
 */
import { labelsOf, nameOf, type Stored } from '#kube/object.ts';
import { alreadyExists } from '#kube/status.ts';
import { type configurationConditions, findCondition, isReady, READY } from '#knative/conditions.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { CONFIGURATION_GENERATION_LABEL } from '#knative/labels.ts';
import { isNameConflict } from '#serving/configuration/named-revision.ts';
import { configurationGeneration, desiredRevision, generationOf } from '#serving/configuration/revision.ts';
import type { Draft, NamesOf, Note, Plan } from '#serving/draft.ts';
import { create, type Step } from '#serving/steps.ts';

export type ConfigurationStatus = NonNullable<Configuration['status']>;
export type ConfigurationDraft = Draft<ConfigurationStatus, NamesOf<typeof configurationConditions>>;

export interface ConfigurationWorld {
  readonly configuration: Stored<Configuration>;
  /** Those that carry the Configuration's name in their label. */
  readonly revisions: readonly Stored<Revision>[];
  /** The Revision that has the name which the template asks for. */
  readonly namedRevision?: Stored<Revision> | undefined;
}

export function planConfiguration(world: ConfigurationWorld, draft: ConfigurationDraft, nowMs: number): Plan {
  const { configuration, namedRevision } = world;
  const { template } = configuration.spec;
  if (isNameConflict({ template, configuration, revision: namedRevision })) {
    markCreationFailed(draft, alreadyExists(Revision, template.metadata?.name ?? '').message);
    return { steps: [] };
  }
  const latest = latestCreated(world);
  const created = latest ?? desiredRevision(configuration, nowMs);
  const notes: Note[] = [];
  draft.status.latestCreatedRevisionName = nameOf(created);
  if (draft.status.latestReadyRevisionName !== nameOf(created)) draft.conditions.markUnknown(READY);
  reportLatestCreated(world, created, { draft, notes });
  reportLatestReady(world, created, { draft, notes });
  return { steps: latest ? [] : [creation(configuration, created)], notes };
}

function creation(configuration: Configuration, revision: Revision): Step {
  const announce = {
    about: configuration,
    created: `Created Revision "${nameOf(revision)}"`,
    failed: 'Failed to create Revision',
  };
  return create(Revision, revision, { announce, doing: 'failed to create Revision' });
}

/** Also for what the API server says against a new Revision. */
export function markCreationFailed({ conditions }: ConfigurationDraft, why: string): void {
  conditions.markFalse(READY, {
    reason: 'RevisionFailed',
    message: `Revision creation failed with message: ${why}.`,
  });
}

function latestCreated({ configuration, revisions, namedRevision }: ConfigurationWorld): Stored<Revision> | undefined {
  if (configuration.spec.template.metadata?.name) return namedRevision;
  const generation = String(generationOf(configuration));
  return revisions.find((revision) => labelsOf(revision)[CONFIGURATION_GENERATION_LABEL] === generation);
}

function reportLatestCreated(world: ConfigurationWorld, latest: Revision, { draft, notes }: Report): void {
  const { status, conditions } = draft;
  const ready = findCondition(latest.status, READY);
  if (ready?.status === 'True' && !status.latestReadyRevisionName) {
    notes.push({ type: 'Normal', reason: 'ConfigurationReady', message: 'Configuration becomes ready' });
  }
  if (ready?.status !== 'False') return;
  const name = nameOf(latest);
  const message = `Revision "${name}" failed with message: ${ready.message ?? ''}.`;
  conditions.markFalse(READY, { reason: 'RevisionFailed', message });
  const before = findCondition(world.configuration.status, READY);
  if (before?.status === 'False' && before.message === message) return;
  const isLatestReady = name === status.latestReadyRevisionName;
  notes.push({
    type: 'Warning',
    reason: isLatestReady ? 'LatestReadyFailed' : 'LatestCreatedFailed',
    message: `Latest ${isLatestReady ? 'ready' : 'created'} revision "${name}" has failed`,
  });
}

interface Report {
  readonly draft: ConfigurationDraft;
  readonly notes: Note[];
}

function reportLatestReady(world: ConfigurationWorld, created: Revision, { draft, notes }: Report): void {
  const { status, conditions } = draft;
  const newest = candidates(world, created, status.latestReadyRevisionName).find(isReady);
  if (!newest) return;
  const name = nameOf(newest);
  if (status.latestReadyRevisionName !== name) {
    notes.push({
      type: 'Normal',
      reason: 'LatestReadyUpdate',
      message: `LatestReadyRevisionName updated to "${name}"`,
    });
  }
  status.latestReadyRevisionName = name;
  if (name === status.latestCreatedRevisionName) conditions.markTrue(READY);
}

/**
 * Revisions between the latest ready one and the Configuration's generation, newest first. The one that the template
 * names comes before all: that is how a user rolls back by name.
 */
function candidates(
  { configuration, revisions }: ConfigurationWorld,
  created: Revision,
  latestReady: string | undefined,
): Stored<Revision>[] {
  const named = configuration.spec.template.metadata?.name;
  const last = revisions.find((revision) => nameOf(revision) === latestReady);
  const from = last ? (configurationGeneration(last) ?? generationOf(configuration)) : undefined;
  const isCandidate = (revision: Revision) => {
    if (from === undefined) return true;
    const generation = configurationGeneration(revision);
    if (generation === undefined) return false;
    if (named && generation === configurationGeneration(created)) return true;
    return generation >= from && generation <= generationOf(configuration);
  };
  const rank = (revision: Revision) =>
    named === nameOf(revision) ? Number.POSITIVE_INFINITY : (configurationGeneration(revision) ?? 0);
  return revisions.filter(isCandidate).sort((a, b) => rank(b) - rank(a));
}
