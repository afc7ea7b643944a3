/** Volumes of a pod: one source each, with what the source needs. */
import {
  child,
  duplicateField,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
} from '#kube/kinds/core/projection.ts';
import type { HostPathVolumeSource, Volume } from '#kube/kinds/core/volume.ts';
import {
  at,
  dnsLabelErrors,
  fileModeErrors,
  localPathErrors,
  noBackstepErrors,
  requiredText,
} from '#apiserver/pod-spec/checks.ts';
import { listOf } from '#apiserver/lists.ts';
import { fieldRefErrors, resourceFieldErrors } from '#apiserver/pod-spec/environment.ts';

const VOLUME_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;

/** The order in which the real server looks at sources: the first one counts, the others are too many. */
const SOURCE_ORDER = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[];

export interface CheckedVolumes {
  readonly errors: readonly FieldError[];
  /** Those that can be mounted. */
  readonly names: ReadonlySet<string>;
}

export function checkVolumes(volumes: readonly Volume[], path: string): CheckedVolumes {
  const names = new Set<string>();
  const errors: FieldError[] = [];
  volumes.forEach((volume, position) => {
    const here = index(path, position);
    const name = child(here, 'name');
    const own = [
      ...sourceErrors(volume, here),
      ...(volume.name ? dnsLabelErrors(name, volume.name) : [requiredField(name)]),
      ...(names.has(volume.name) ? [duplicateField(name, volume.name)] : []),
    ];
    if (own.length === 0) names.add(volume.name);
    errors.push(...own);
  });
  return { errors, names };
}

function sourceErrors(volume: Volume, path: string): FieldError[] {
  const given = SOURCE_ORDER.filter((name) => volume[name] !== undefined);
  if (given.length === 0) return [requiredField(path, 'must specify a volume type')];
  const [first, ...more] = given;
  return [
    ...(first ? ownErrors(volume, first, path) : []),
    ...more.map((name) => forbiddenField(child(path, name), 'may not specify more than 1 volume type')),
  ];
}

function ownErrors(volume: Volume, source: (typeof SOURCE_ORDER)[number], path: string): FieldError[] {
  const here = child(path, source);
  const { hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim } = volume;
  switch (source) {
    case 'hostPath':
      return hostPath ? hostPathErrors(hostPath, here) : [];
    case 'secret':
      return [
        ...requiredText(child(here, 'secretName'), secret?.secretName),
        ...fileModeErrors(child(here, 'defaultMode'), secret?.defaultMode),
        ...itemsErrors(secret?.items, child(here, 'items')),
      ];
    case 'configMap':
      return [
        ...requiredText(child(here, 'name'), configMap?.name),
        ...fileModeErrors(child(here, 'defaultMode'), configMap?.defaultMode),
        ...itemsErrors(configMap?.items, child(here, 'items')),
      ];
    case 'downwardAPI':
      return [
        ...fileModeErrors(child(here, 'defaultMode'), downwardAPI?.defaultMode),
        ...(downwardAPI?.items ?? []).flatMap((file) => fileErrors(file, here)),
      ];
    case 'persistentVolumeClaim':
      return requiredText(child(here, 'claimName'), persistentVolumeClaim?.claimName);
    case 'projected':
      return projected ? projectedErrors(projected, here) : [];
    default:
      return [];
  }
}

function hostPathErrors({ path: target, type }: HostPathVolumeSource, path: string): FieldError[] {
  if (!target) return [requiredField(child(path, 'path'))];
  const errors = noBackstepErrors(child(path, 'path'), target);
  if (type === undefined || HOST_PATH_TYPES.includes(type)) return errors;
  return [...errors, notSupportedField(child(path, 'type'), type, HOST_PATH_TYPES)];
}

function itemsErrors(items: readonly KeyToPath[] = [], path: string): FieldError[] {
  return items.flatMap((item, position) => itemErrors(item, index(path, position)));
}

function itemErrors({ key, path: target, mode }: KeyToPath, path: string): FieldError[] {
  return [
    ...requiredText(child(path, 'key'), key),
    ...requiredText(child(path, 'path'), target),
    ...localPathErrors(child(path, 'path'), target),
    ...fileModeErrors(child(path, 'mode'), mode),
  ];
}

function fileErrors(
  { path: target, fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile,
  path: string,
): FieldError[] {
  const errors = [...requiredText(child(path, 'path'), target), ...localPathErrors(child(path, 'path'), target)];
  if (fieldRef) {
    errors.push(...fieldRefErrors(fieldRef, VOLUME_FIELDS, child(path, 'fieldRef')));
    const both = 'fieldRef and resourceFieldRef can not be specified simultaneously';
    if (resourceFieldRef) errors.push(invalidField(path, 'resource', both));
  } else if (resourceFieldRef) {
    errors.push(...resourceFieldErrors(resourceFieldRef, child(path, 'resourceFieldRef'), 'volume'));
  } else {
    errors.push(requiredField(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  return [...errors, ...fileModeErrors(child(path, 'mode'), mode)];
}

function projectedErrors({ sources, defaultMode }: ProjectedVolumeSource, path: string): FieldError[] {
  const paths = new Set<string>();
  const errors = fileModeErrors(child(path, 'defaultMode'), defaultMode);
  listOf(sources).forEach((source, position) => {
    const here = index(child(path, 'sources'), position);
    const { secret, configMap, downwardAPI, serviceAccountToken } = source;
    for (const [name, projection] of [
      ['secret', secret],
      ['configMap', configMap],
    ] as const) {
      if (!projection) continue;
      errors.push(...requiredText(at(here, name, 'name'), projection.name));
      errors.push(...itemsErrors(projection.items, at(here, name, 'items')));
      for (const item of projection.items ?? [])
        errors.push(...pathTaken(paths, item.path, { path, shown: projection.name ?? '' }));
    }
    for (const file of downwardAPI?.items ?? []) {
      errors.push(...fileErrors(file, child(here, 'downwardAPI')));
      errors.push(...pathTaken(paths, file.path, { path, shown: file.path }));
    }
    if (serviceAccountToken) errors.push(...tokenErrors(serviceAccountToken, { here, path }));
    if (Object.keys(source).length > 1) {
      errors.push(forbiddenField(here, 'may not specify more than 1 volume type per source'));
    }
  });
  return errors;
}

function pathTaken(paths: Set<string>, target: string, { path, shown }: { path: string; shown: string }): FieldError[] {
  if (!target) return [];
  if (paths.has(target)) return [invalidField(path, shown, 'conflicting duplicate paths')];
  paths.add(target);
  return [];
}

function tokenErrors(
  { expirationSeconds = MIN_TOKEN_SECONDS, path: target }: ServiceAccountTokenProjection,
  { here, path }: { here: string; path: string },
): FieldError[] {
  const where = at(here, 'serviceAccountToken', 'expirationSeconds');
  const errors: FieldError[] = [];
  if (expirationSeconds < MIN_TOKEN_SECONDS) {
    errors.push(invalidField(where, expirationSeconds, 'may not specify a duration less than 10 minutes'));
  }
  if (expirationSeconds > MAX_TOKEN_SECONDS) {
    errors.push(invalidField(where, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  return [...errors, ...(target ? localPathErrors(child(path, 'path'), target) : [requiredField(child(path, 'path'))])];
}
