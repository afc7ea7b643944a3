/** Volumes that a Revision may have. Sources behind feature flags are open objects in Knative's CRD. */
import { boolean, int32, int64, list, object, quantity, required, string } from '#kube/schema.ts';
import type {
  EmptyDirVolumeSource,
  HostPathVolumeSource,
  PersistentVolumeClaimVolumeSource,
} from '#kube/kinds/core/volume.ts';
import { nameOf, open } from '#knative/kinds/fields.ts';

const keyToPath = object({
  key: required(string('Which key.')),
  path: required(string('The file to write it to, relative to the mount.')),
  mode: int32('Permission bits of the file.'),
});

const items = list(keyToPath, 'Only these keys, at these paths; all keys when absent.');
const defaultMode = int32('Permission bits of the files.');
const optional = boolean('Whether it may be missing.');

const fieldRef = object(
  {
    apiVersion: string('Version in which the path is written.'),
    fieldPath: required(string('Path of the field, such as metadata.name.')),
  },
  { doc: 'A field of the pod.', atomic: true },
);

const resourceFieldRef = object(
  {
    containerName: string('Of which container.'),
    resource: required(string('Such as limits.cpu.')),
    divisor: quantity('The unit to count in.'),
  },
  { doc: 'A resource of a container.', atomic: true },
);

const downwardFile = object({
  path: required(string('The file to write.')),
  fieldRef,
  resourceFieldRef,
  mode: int32('Permission bits of the file.'),
});

const projection = object({
  configMap: object(
    { name: nameOf('Which ConfigMap.'), items, optional },
    { doc: 'Keys of a ConfigMap.', atomic: true },
  ),
  secret: object({ name: nameOf('Which Secret.'), items, optional }, { doc: 'Keys of a Secret.', atomic: true }),
  downwardAPI: object({ items: list(downwardFile, 'The files.') }, { doc: 'Facts about the pod itself.' }),
  serviceAccountToken: object(
    {
      path: required(string('The file to write.')),
      audience: string('For whom the token is meant.'),
      expirationSeconds: int64('How long it is valid.'),
    },
    { doc: "A token of the pod's service account." },
  ),
});

export const volumeSchema = object({
  name: required(string('By which mounts name it.')),
  configMap: object(
    { name: nameOf('Which ConfigMap.'), items, defaultMode, optional },
    { doc: 'The keys of a ConfigMap as files.', atomic: true },
  ),
  secret: object(
    { secretName: string('Which Secret.'), items, defaultMode, optional },
    { doc: 'The keys of a Secret as files.' },
  ),
  projected: object(
    { sources: list(projection, 'What comes together.'), defaultMode },
    { doc: 'Several sources in one folder.' },
  ),
  emptyDir: open<EmptyDirVolumeSource>('An empty folder that lives as long as the pod.'),
  hostPath: open<HostPathVolumeSource>('A path of the machine; needs the flag kubernetes.podspec-volumes-hostpath.'),
  persistentVolumeClaim: open<PersistentVolumeClaimVolumeSource>(
    'A claim in the same namespace; needs the flag kubernetes.podspec-persistent-volume-claim.',
  ),
});

export const volumeMountSchema = object({
  name: required(string('Which of the volumes.')),
  mountPath: required(string('Where in the container; absolute.')),
  subPath: string('Which path of the volume, instead of its root.'),
  readOnly: boolean('Whether the container may not write.'),
});
