/** Volumes of a pod. */
import {
  awsElasticBlockStoreVolumeSourceSchema,
  azureDiskVolumeSourceSchema,
  azureFileVolumeSourceSchema,
  cephFSVolumeSourceSchema,
  cinderVolumeSourceSchema,
  fcVolumeSourceSchema,
  flexVolumeSourceSchema,
  flockerVolumeSourceSchema,
  gcePersistentDiskVolumeSourceSchema,
  gitRepoVolumeSourceSchema,
  glusterfsVolumeSourceSchema,
  iscsiVolumeSourceSchema,
  photonPersistentDiskVolumeSourceSchema,
  portworxVolumeSourceSchema,
  quobyteVolumeSourceSchema,
  rbdVolumeSourceSchema,
  scaleIOVolumeSourceSchema,
  storageOSVolumeSourceSchema,
  vsphereVirtualDiskVolumeSourceSchema,
} from '#kube/kinds/core/legacy-volume.ts';
import {
  configMapVolumeSourceSchema,
  downwardAPIVolumeSourceSchema,
  projectedVolumeSourceSchema,
  secretVolumeSourceSchema,
} from '#kube/kinds/core/projection.ts';
import { localObjectReferenceSchema } from '#kube/kinds/core/references.ts';
import { persistentVolumeClaimTemplateSchema } from '#kube/kinds/core/volume-claim.ts';
import {
  boolean,
  documented,
  type Infer,
  map,
  object,
  oneOf,
  pointer,
  quantity,
  required,
  string,
} from '#kube/schema.ts';

const hostPathVolumeSourceSchema = object(
  {
    path: required(string('Path on the host.')),
    type: pointer(
      oneOf(
        ['BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'],
        'What must be at the path, or is made there.',
      ),
    ),
  },
  { name: 'io.k8s.api.core.v1.HostPathVolumeSource', doc: 'A file or directory of the host.' },
);
export type HostPathVolumeSource = Infer<typeof hostPathVolumeSourceSchema>;

const emptyDirVolumeSourceSchema = object(
  {
    medium: string('Empty for disk, Memory for a tmpfs.'),
    sizeLimit: quantity('Most that it may hold.'),
  },
  { name: 'io.k8s.api.core.v1.EmptyDirVolumeSource', doc: 'A directory that lives and dies with the pod.' },
);
export type EmptyDirVolumeSource = Infer<typeof emptyDirVolumeSourceSchema>;

const nfsVolumeSourceSchema = object(
  {
    server: required(string('Host name or address of the server.')),
    path: required(string('Path that the server exports.')),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.NFSVolumeSource', doc: 'A directory of an NFS server.' },
);

const persistentVolumeClaimVolumeSourceSchema = object(
  {
    claimName: required(string('Name of the claim.')),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource', doc: 'The volume of a claim in the same namespace.' },
);
export type PersistentVolumeClaimVolumeSource = Infer<typeof persistentVolumeClaimVolumeSourceSchema>;

const csiVolumeSourceSchema = object(
  {
    driver: required(string('Name of the driver.')),
    readOnly: pointer(boolean('Mounts it read-only.')),
    fsType: pointer(string('File system to mount.')),
    volumeAttributes: map(string(), 'Settings for the driver.'),
    nodePublishSecretRef: documented(localObjectReferenceSchema, 'Secret for the driver.'),
  },
  { name: 'io.k8s.api.core.v1.CSIVolumeSource', doc: 'A volume that a CSI driver makes for this pod.' },
);

const ephemeralVolumeSourceSchema = object(
  {
    volumeClaimTemplate: documented(persistentVolumeClaimTemplateSchema, 'The claim that is made.'),
  },
  { name: 'io.k8s.api.core.v1.EphemeralVolumeSource', doc: 'A claim that is made for this pod and goes with it.' },
);

const imageVolumeSourceSchema = object(
  {
    reference: string('Name of the image.'),
    pullPolicy: oneOf(['Always', 'IfNotPresent', 'Never'], 'When the image is pulled.'),
  },
  { name: 'io.k8s.api.core.v1.ImageVolumeSource', doc: 'The files of an image.' },
);

export const volumeSchema = object(
  {
    name: required(string('Name, unique in the pod.')),
    hostPath: documented(hostPathVolumeSourceSchema, 'A path of the host.'),
    emptyDir: documented(emptyDirVolumeSourceSchema, 'An empty directory.'),
    gcePersistentDisk: documented(gcePersistentDiskVolumeSourceSchema, 'A disk of Google Compute Engine.'),
    awsElasticBlockStore: documented(awsElasticBlockStoreVolumeSourceSchema, "A disk of Amazon's EBS."),
    gitRepo: documented(gitRepoVolumeSourceSchema, 'A checkout of a git repository.'),
    secret: documented(secretVolumeSourceSchema, 'A Secret.'),
    nfs: documented(nfsVolumeSourceSchema, 'A directory over NFS.'),
    iscsi: documented(iscsiVolumeSourceSchema, 'A disk over iSCSI.'),
    glusterfs: documented(glusterfsVolumeSourceSchema, 'A volume of GlusterFS.'),
    persistentVolumeClaim: documented(persistentVolumeClaimVolumeSourceSchema, 'The volume of a claim.'),
    rbd: documented(rbdVolumeSourceSchema, 'A block device of Ceph.'),
    flexVolume: documented(flexVolumeSourceSchema, 'A volume of an old-style driver.'),
    cinder: documented(cinderVolumeSourceSchema, 'A disk of OpenStack.'),
    cephfs: documented(cephFSVolumeSourceSchema, 'A file system of Ceph.'),
    flocker: documented(flockerVolumeSourceSchema, 'A data set of Flocker.'),
    downwardAPI: documented(downwardAPIVolumeSourceSchema, 'Facts about the pod.'),
    fc: documented(fcVolumeSourceSchema, 'A disk over fibre channel.'),
    azureFile: documented(azureFileVolumeSourceSchema, 'A file share of Azure.'),
    configMap: documented(configMapVolumeSourceSchema, 'A ConfigMap.'),
    vsphereVolume: documented(vsphereVirtualDiskVolumeSourceSchema, 'A disk of vSphere.'),
    quobyte: documented(quobyteVolumeSourceSchema, 'A volume of Quobyte.'),
    azureDisk: documented(azureDiskVolumeSourceSchema, 'A disk of Azure.'),
    photonPersistentDisk: documented(photonPersistentDiskVolumeSourceSchema, 'A disk of Photon.'),
    projected: documented(projectedVolumeSourceSchema, 'Several sources in one tree.'),
    portworxVolume: documented(portworxVolumeSourceSchema, 'A volume of Portworx.'),
    scaleIO: documented(scaleIOVolumeSourceSchema, 'A volume of ScaleIO.'),
    storageos: documented(storageOSVolumeSourceSchema, 'A volume of StorageOS.'),
    csi: documented(csiVolumeSourceSchema, 'A volume of a CSI driver.'),
    ephemeral: documented(ephemeralVolumeSourceSchema, 'A claim made for this pod.'),
    image: documented(imageVolumeSourceSchema, 'The files of an image.'),
  },
  { name: 'io.k8s.api.core.v1.Volume', doc: 'A volume that containers of the pod may mount; its name and one source.' },
);
export type Volume = Infer<typeof volumeSchema>;
