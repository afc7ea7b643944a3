/** Volumes and their mounts: sources behind flags, names, paths, what may be written. */
import { posix } from 'node:path';
import { dnsLabelProblems } from '#kube/names.ts';
import { parseQuantity } from '#kube/quantity.ts';
import {
  disallowedField,
  exactlyOne,
  expectedOneOf,
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  via,
  viaIndex,
} from '#knative/field-error.ts';
import type { FeatureName, FeaturesConfig } from '#knative/config/features.ts';
import type { Container, Volume, VolumeMount } from '#knative/kinds/revision-spec.ts';

const SOURCES = ['secret', 'configMap', 'projected', 'emptyDir', 'persistentVolumeClaim', 'hostPath'] as const;
type Source = (typeof SOURCES)[number];

const FLAGS: Partial<Record<Source, FeatureName>> = {
  emptyDir: 'podSpecVolumesEmptyDir',
  persistentVolumeClaim: 'podSpecPersistentVolumeClaim',
  hostPath: 'podSpecVolumesHostPath',
};

/** Sources into which a container may write; the others are mounted read-only. */
const WRITABLE: readonly Source[] = ['emptyDir', 'persistentVolumeClaim'];

export function isWritable(volume: Volume | undefined): boolean {
  return WRITABLE.some((source) => volume?.[source] !== undefined);
}

export function validateVolumes(
  volumes: readonly Volume[],
  containers: readonly Container[],
  features: FeaturesConfig,
): FieldErrors {
  const mounted = new Set(containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)));
  return volumes.flatMap((volume, index) => {
    const isSecond = volumes.findIndex(({ name }) => name === volume.name) < index;
    const ofName = isSecond ? fieldError(`duplicate volume name "${volume.name}"`, 'name') : noErrors;
    const isUnused = !mounted.has(volume.name);
    const ofUse = isUnused ? fieldError(`volume with name "${volume.name}" not mounted`, 'name') : noErrors;
    return viaIndex('volumes', index, [...ofName, ...ofUse, ...validateVolume(volume, features)]);
  });
}

function validateVolume(volume: Volume, features: FeaturesConfig): FieldErrors {
  const isBadName = dnsLabelProblems(volume.name).length > 0;
  const ofName = volume.name === '' ? missingField('name') : isBadName ? invalidValue(volume.name, 'name') : noErrors;
  const set = SOURCES.filter((source) => volume[source] !== undefined);
  const isDisabled = (source: Source) => FLAGS[source] !== undefined && features[FLAGS[source]] === 'Disabled';
  const refused = set.filter(isDisabled);
  return [
    // A bad name hides what is disabled, in Knative too.
    ...(ofName.length > 0 ? ofName : validateFlags(volume, features)),
    ...(refused.length > 0 ? disallowedField(...refused) : noErrors),
    ...validateSources(volume),
    ...validateSourceCount(set, features),
  ];
}

/** A flag that is merely Allowed does not switch a source on. These errors are about no field in particular. */
function validateFlags(volume: Volume, features: FeaturesConfig): FieldErrors {
  const { name, persistentVolumeClaim: claim } = volume;
  const errors: FieldErrors[] = [];
  if (claim && features.podSpecPersistentVolumeClaim !== 'Enabled') {
    const found = `but found persistent volume claim ${claim.claimName}`;
    errors.push(fieldError(`Persistent volume claim support is disabled, ${found}`, []));
  }
  if (claim && !claim.readOnly && features.podSpecPersistentVolumeWrite !== 'Enabled') {
    const found = `but found persistent volume claim ${claim.claimName} that is not read-only`;
    errors.push(fieldError(`Persistent volume write support is disabled, ${found}`, []));
  }
  if (volume.emptyDir && features.podSpecVolumesEmptyDir !== 'Enabled') {
    errors.push(fieldError(`EmptyDir volume support is disabled, but found EmptyDir volume ${name}`, []));
  }
  if (volume.hostPath && features.podSpecVolumesHostPath !== 'Enabled') {
    errors.push(fieldError(`HostPath volume support is disabled, but found HostPath volume ${name}`, []));
  }
  return errors.flat();
}

function validateSourceCount(set: readonly Source[], features: FeaturesConfig): FieldErrors {
  if (set.length > 1) return expectedOneOf('both', set);
  const isOffered = (source: Source) => FLAGS[source] === undefined || features[FLAGS[source]] === 'Enabled';
  return set.length === 1 ? noErrors : expectedOneOf('neither', SOURCES.filter(isOffered));
}

function validateSources({ secret, configMap, projected, emptyDir }: Volume): FieldErrors {
  return [
    ...validateItems(secret?.items),
    ...validateItems(configMap?.items),
    ...(projected?.sources ?? []).flatMap((source, index) => viaIndex('projected', index, validateProjection(source))),
    ...(emptyDir ? via('emptyDir', validateEmptyDir(emptyDir)) : noErrors),
  ];
}

function validateItems(items: readonly { key: string; path: string }[] = []): FieldErrors {
  return items.flatMap(({ key, path }, index) => {
    const missing = [...(key === '' ? ['key'] : []), ...(path === '' ? ['path'] : [])];
    return missing.length === 0 ? noErrors : viaIndex('items', index, missingField(...missing));
  });
}

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

const PROJECTIONS = ['secret', 'configMap', 'serviceAccountToken', 'downwardAPI'] as const;

function validateProjection(projection: Projection): FieldErrors {
  const { secret, configMap, serviceAccountToken: token, downwardAPI } = projection;
  const named = (source: { name?: string | undefined; items?: { key: string; path: string }[] | undefined }) => [
    ...(source.name ? noErrors : missingField('name')),
    ...validateItems(source.items),
  ];
  return [
    ...(secret ? via('secret', named(secret)) : noErrors),
    ...(configMap ? via('configMap', named(configMap)) : noErrors),
    ...(token?.path === '' ? via('serviceAccountToken', missingField('path')) : noErrors),
    ...via('downwardAPI', validateDownwardFiles(downwardAPI?.items ?? [])),
    ...exactlyOne(
      PROJECTIONS.filter((name) => projection[name] !== undefined),
      PROJECTIONS,
    ),
  ];
}

type DownwardFile = NonNullable<NonNullable<Projection['downwardAPI']>['items']>[number];

function validateDownwardFiles(files: readonly DownwardFile[]): FieldErrors {
  const sources = ['fieldRef', 'resourceFieldRef'];
  return files.flatMap(({ path, fieldRef, resourceFieldRef }, index) => {
    const hasBoth = fieldRef && resourceFieldRef;
    const hasNone = !fieldRef && !resourceFieldRef;
    return viaIndex('items', index, [
      ...(hasNone ? expectedOneOf('neither', sources) : noErrors),
      ...(hasBoth ? fieldError('Within a single item, cannot set both', sources) : noErrors),
      ...(path === '' ? missingField('path') : noErrors),
    ]);
  });
}

function validateEmptyDir({ medium = '', sizeLimit }: NonNullable<Volume['emptyDir']>): FieldErrors {
  const ofMedium = medium === '' || medium === 'Memory' ? noErrors : invalidValue(medium, 'medium');
  const limit = sizeLimit === undefined ? undefined : parseQuantity(sizeLimit);
  const isNegative = limit !== undefined && !(limit instanceof Error) && limit.nanos < 0n;
  return isNegative ? [...ofMedium, ...invalidValue(sizeLimit ?? '', 'sizeLimit')] : ofMedium;
}

const RESERVED_PATHS = new Set(['/', '/dev', '/dev/log']);

export function validateMounts(mounts: readonly VolumeMount[], volumes: readonly Volume[]): FieldErrors {
  const paths = mounts.map(({ mountPath }) => cleanPath(mountPath));
  return mounts.flatMap((mount, index) => {
    const volume = volumes.find(({ name }) => name === mount.name);
    const isFirst = paths.indexOf(paths[index] ?? '') === index;
    return viaIndex('volumeMounts', index, [
      ...(volume ? noErrors : fieldError('volumeMount has no matching volume', 'name')),
      ...validateMountPath(mount.mountPath, isFirst),
      ...validateReadOnly(mount, volume),
    ]);
  });
}

function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function validateMountPath(path: string, isFirst: boolean): FieldErrors {
  if (path === '') return missingField('mountPath');
  const clean = cleanPath(path);
  if (RESERVED_PATHS.has(clean)) return fieldError(`mountPath "${clean}" is a reserved path`, 'mountPath');
  if (!path.startsWith('/')) return invalidValue(path, 'mountPath');
  return isFirst ? noErrors : invalidValue(`"${path}" must be unique`, 'mountPath');
}

function validateReadOnly({ readOnly = false }: VolumeMount, volume: Volume | undefined): FieldErrors {
  if (readOnly) return noErrors;
  const ofType = isWritable(volume)
    ? noErrors
    : fieldError('volume mount should be readOnly for this type of volume', 'readOnly');
  const isReadOnlyClaim = volume?.persistentVolumeClaim?.readOnly === true;
  return isReadOnlyClaim
    ? [...ofType, ...fieldError('volume is readOnly but volume mount is not', 'readOnly')]
    : ofType;
}
