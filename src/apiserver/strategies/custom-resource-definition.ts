/**
 * What a CustomResourceDefinition may say, and what the API server adds to it. Whether its names are free, and when its
 * kinds are served, is decided by its controller (`#workloads/definitions`) and by `../custom/`.
 */
import { deepEqual } from '#base/json.ts';
import { type FieldError, index, invalidField, tooManyField } from '#kube/field-error.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { crdErrors } from '#kube/structural/crd-errors.ts';
import { listOf } from '#apiserver/lists.ts';
import { specChanged } from '#apiserver/generation.ts';
import { strategyOf } from '#apiserver/strategy.ts';
import { plainStatus } from '#apiserver/subresources.ts';

const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

const WEBHOOK_PORT = 443;

/** Versions of one kind; each is compiled and served by itself. Kubernetes has no limit but that of the object's size. */
const MAX_VERSIONS = 100;

export const customResourceDefinitionStrategy = strategyOf(CustomResourceDefinition, {
  requiresVersionOnUpdate: true,
  setDefaults({ spec }) {
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) service.port ??= WEBHOOK_PORT;
    const { names } = spec;
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= names.kind === '' ? '' : `${names.kind}List`;
  },
  prepareForCreate: (definition) => rememberStorage(definition, []),
  prepareForUpdate: (definition, old) => rememberStorage(definition, old.status?.storedVersions ?? []),
  isNewGeneration: specChanged,
  validate: (definition) => definitionErrors(definition),
  validateUpdate: (definition, old) => definitionErrors(definition, old),
  warnings: (definition) => conversionWarnings(definition),
  subresources: { status: { ...plainStatus, validateUpdate: (definition) => storedErrors(definition) } },
  deletionFinalizers: [CLEANUP_FINALIZER],
  prepareForDeletion(definition) {
    const conditions = definition.status?.conditions ?? [];
    if (conditions.some(({ type }) => type === 'Terminating')) return;
    const pending = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: definition.metadata.deletionTimestamp ?? '',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    };
    definition.status = { ...statusOf(definition), conditions: [...conditions, pending] };
  },
});

type Status = NonNullable<CustomResourceDefinition['status']>;

function statusOf({ status }: CustomResourceDefinition): Status {
  return status ?? { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] };
}

/** Every version that objects may ever have been stored in stays known. */
function rememberStorage(definition: CustomResourceDefinition, before: readonly string[]): void {
  const storage = storageOf(definition);
  const versions = storage === undefined || before.includes(storage) ? before : [...before, storage];
  if (deepEqual(definition.status?.storedVersions, versions)) return;
  definition.status = { ...statusOf(definition), storedVersions: [...versions] };
}

function storageOf({ spec }: CustomResourceDefinition): string | undefined {
  return listOf(spec.versions).find((version) => version.storage)?.name;
}

function definitionErrors(definition: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const { length } = listOf(definition.spec.versions);
  if (length > MAX_VERSIONS) return [tooManyField('spec.versions', length, MAX_VERSIONS)];
  return crdErrors(definition, old);
}

function storedErrors(definition: CustomResourceDefinition): FieldError[] {
  const { spec, status } = definition;
  const path = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalidField(path, stored, 'must have at least one stored version')];
  const names = listOf(spec.versions).map(({ name }) => name);
  const unknown = stored.flatMap((name, position) =>
    names.includes(name) ? [] : [invalidField(index(path, position), name, 'must appear in spec.versions')],
  );
  const storage = storageOf(definition) ?? '';
  if (stored.includes(storage)) return unknown;
  return [...unknown, invalidField(path, stored, `must have the storage version ${storage}`)];
}

function conversionWarnings({ spec }: CustomResourceDefinition): string[] {
  if (spec.conversion?.strategy !== 'Webhook' || listOf(spec.versions).length <= 1) return [];
  return [
    'spec.conversion: webhooks that convert are not called here: only the stored version can be read and written',
  ];
}
