/** Volumes that show objects of the API as files. */
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from '#kube/kinds/core/env.ts';
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  list,
  object,
  pointer,
  refine,
  required,
  string,
} from '#kube/schema.ts';

const keyToPathSchema = object(
  {
    key: required(string('Key to show.')),
    path: required(string('Relative path of the file.')),
    mode: pointer(int32("Permission bits of the file, instead of the volume's default.")),
  },
  { name: 'io.k8s.api.core.v1.KeyToPath', doc: 'A key and the file that it becomes.' },
);
export type KeyToPath = Infer<typeof keyToPathSchema>;

const downwardAPIVolumeFileSchema = object(
  {
    path: required(string('Relative path of the file.')),
    fieldRef: documented(objectFieldSelectorSchema, 'A field of the pod.'),
    resourceFieldRef: documented(resourceFieldSelectorSchema, 'A resource of a container.'),
    mode: pointer(int32("Permission bits of the file, instead of the volume's default.")),
  },
  { name: 'io.k8s.api.core.v1.DownwardAPIVolumeFile', doc: 'A fact about the pod and the file that it becomes.' },
);
export type DownwardAPIVolumeFile = Infer<typeof downwardAPIVolumeFileSchema>;

export const configMapVolumeSourceSchema = object(
  {
    name: refine(string('Name of the ConfigMap.'), { default: '' }),
    items: list(keyToPathSchema, 'Keys to show; all of them when empty.'),
    defaultMode: pointer(int32('Permission bits of the files; 0644 by default.')),
    optional: pointer(boolean('When true, the ConfigMap or its keys may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.ConfigMapVolumeSource', doc: 'A ConfigMap as files.' },
);

export const secretVolumeSourceSchema = object(
  {
    secretName: string('Name of the Secret.'),
    items: list(keyToPathSchema, 'Keys to show; all of them when empty.'),
    defaultMode: pointer(int32('Permission bits of the files; 0644 by default.')),
    optional: pointer(boolean('When true, the Secret or its keys may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.SecretVolumeSource', doc: 'A Secret as files.' },
);

export const downwardAPIVolumeSourceSchema = object(
  {
    items: list(downwardAPIVolumeFileSchema, 'The facts and their files.'),
    defaultMode: pointer(int32('Permission bits of the files; 0644 by default.')),
  },
  { name: 'io.k8s.api.core.v1.DownwardAPIVolumeSource', doc: 'Facts about the pod as files.' },
);

const secretProjectionSchema = object(
  {
    name: refine(string('Name of the Secret.'), { default: '' }),
    items: list(keyToPathSchema, 'Keys to show; all of them when empty.'),
    optional: pointer(boolean('When true, the Secret or its keys may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.SecretProjection', doc: 'A Secret as a part of a projected volume.' },
);

const configMapProjectionSchema = object(
  {
    name: refine(string('Name of the ConfigMap.'), { default: '' }),
    items: list(keyToPathSchema, 'Keys to show; all of them when empty.'),
    optional: pointer(boolean('When true, the ConfigMap or its keys may be missing.')),
  },
  { name: 'io.k8s.api.core.v1.ConfigMapProjection', doc: 'A ConfigMap as a part of a projected volume.' },
);

const downwardAPIProjectionSchema = object(
  {
    items: list(downwardAPIVolumeFileSchema, 'The facts and their files.'),
  },
  { name: 'io.k8s.api.core.v1.DownwardAPIProjection', doc: 'Facts about the pod as a part of a projected volume.' },
);

const serviceAccountTokenProjectionSchema = object(
  {
    audience: string('For whom the token is meant; the API server when absent.'),
    expirationSeconds: pointer(int64('How long a token lives; an hour by default.')),
    path: required(string('Relative path of the file.')),
  },
  {
    name: 'io.k8s.api.core.v1.ServiceAccountTokenProjection',
    doc: "A token of the pod's service account, renewed in time.",
  },
);
export type ServiceAccountTokenProjection = Infer<typeof serviceAccountTokenProjectionSchema>;

const clusterTrustBundleProjectionSchema = object(
  {
    name: pointer(string('Name of the bundle, when one is meant.')),
    signerName: pointer(string('Signer whose bundles are meant.')),
    labelSelector: documented(labelSelectorSchema, 'Which bundles of the signer.'),
    optional: pointer(boolean('When true, the bundles may be missing.')),
    path: required(string('Relative path of the file.')),
  },
  { name: 'io.k8s.api.core.v1.ClusterTrustBundleProjection', doc: 'Certificates of trust bundles as one file.' },
);

const volumeProjectionSchema = object(
  {
    secret: documented(secretProjectionSchema, 'Keys of a Secret.'),
    downwardAPI: documented(downwardAPIProjectionSchema, 'Facts about the pod.'),
    configMap: documented(configMapProjectionSchema, 'Keys of a ConfigMap.'),
    serviceAccountToken: documented(serviceAccountTokenProjectionSchema, 'A token of the service account.'),
    clusterTrustBundle: documented(clusterTrustBundleProjectionSchema, 'Certificates of trust bundles.'),
  },
  { name: 'io.k8s.api.core.v1.VolumeProjection', doc: 'One part of a projected volume; one of these.' },
);

export const projectedVolumeSourceSchema = object(
  {
    sources: embedded(list(volumeProjectionSchema, 'The parts.')),
    defaultMode: pointer(int32('Permission bits of the files; 0644 by default.')),
  },
  { name: 'io.k8s.api.core.v1.ProjectedVolumeSource', doc: 'Several sources as one tree of files.' },
);
export type ProjectedVolumeSource = Infer<typeof projectedVolumeSourceSchema>;
