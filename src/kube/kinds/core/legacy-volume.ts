/** Volume sources of particular storage systems: accepted and kept, as in any cluster, but not served by this platform. */
import { localObjectReferenceSchema } from '#kube/kinds/core/references.ts';
import {
  boolean,
  documented,
  int32,
  list,
  map,
  nullPointer,
  object,
  oneOf,
  pointer,
  refine,
  required,
  string,
} from '#kube/schema.ts';

export const gcePersistentDiskVolumeSourceSchema = object(
  {
    pdName: required(string('Name of the disk.')),
    fsType: string('File system on it.'),
    partition: int32('Partition to mount.'),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.GCEPersistentDiskVolumeSource', doc: 'A disk of Google Compute Engine.' },
);

export const awsElasticBlockStoreVolumeSourceSchema = object(
  {
    volumeID: required(string('Identity of the disk.')),
    fsType: string('File system on it.'),
    partition: int32('Partition to mount.'),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource', doc: "A disk of Amazon's EBS." },
);

export const gitRepoVolumeSourceSchema = object(
  {
    repository: required(string('URL of the repository.')),
    revision: string('Commit to check out.'),
    directory: string('Directory to check out into.'),
  },
  { name: 'io.k8s.api.core.v1.GitRepoVolumeSource', doc: 'A checkout of a git repository.' },
);

export const iscsiVolumeSourceSchema = object(
  {
    targetPortal: required(string('Address of the target.')),
    iqn: required(string('Qualified name of the target.')),
    lun: required(int32('Number of the unit.')),
    iscsiInterface: refine(string('Interface to use.'), { default: 'default' }),
    fsType: string('File system on it.'),
    readOnly: boolean('Mounts it read-only.'),
    portals: list(string(), 'More addresses of the target.'),
    chapAuthDiscovery: boolean('Authenticates discovery by CHAP.'),
    chapAuthSession: boolean('Authenticates sessions by CHAP.'),
    secretRef: documented(localObjectReferenceSchema, 'Secret with the CHAP credentials.'),
    initiatorName: pointer(string('Name of the initiator.')),
  },
  { name: 'io.k8s.api.core.v1.ISCSIVolumeSource', doc: 'A disk over iSCSI.' },
);

export const glusterfsVolumeSourceSchema = object(
  {
    endpoints: required(string('Endpoints object of the servers.')),
    path: required(string('Path of the volume.')),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.GlusterfsVolumeSource', doc: 'A volume of GlusterFS.' },
);

export const rbdVolumeSourceSchema = object(
  {
    monitors: required(list(string(), 'Addresses of the monitors.')),
    image: required(string('Name of the image.')),
    fsType: string('File system on it.'),
    pool: refine(string('Pool of the image.'), { default: 'rbd' }),
    user: refine(string('User name.'), { default: 'admin' }),
    keyring: refine(string('Path of the key ring.'), { default: '/etc/ceph/keyring' }),
    secretRef: documented(localObjectReferenceSchema, 'Secret with the key.'),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.RBDVolumeSource', doc: 'A block device of Ceph.' },
);

export const flexVolumeSourceSchema = object(
  {
    driver: required(string('Name of the driver.')),
    fsType: string('File system on it.'),
    secretRef: documented(localObjectReferenceSchema, 'Secret for the driver.'),
    readOnly: boolean('Mounts it read-only.'),
    options: map(string(), 'Settings for the driver.'),
  },
  { name: 'io.k8s.api.core.v1.FlexVolumeSource', doc: 'A volume of an old-style driver.' },
);

export const cinderVolumeSourceSchema = object(
  {
    volumeID: required(string('Identity of the disk.')),
    fsType: string('File system on it.'),
    readOnly: boolean('Mounts it read-only.'),
    secretRef: documented(localObjectReferenceSchema, "Secret with the connection's parameters."),
  },
  { name: 'io.k8s.api.core.v1.CinderVolumeSource', doc: 'A disk of OpenStack.' },
);

export const cephFSVolumeSourceSchema = object(
  {
    monitors: required(list(string(), 'Addresses of the monitors.')),
    path: string('Path that is mounted.'),
    user: string('User name.'),
    secretFile: string('Path of the key.'),
    secretRef: documented(localObjectReferenceSchema, 'Secret with the key.'),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.CephFSVolumeSource', doc: 'A file system of Ceph.' },
);

export const flockerVolumeSourceSchema = object(
  {
    datasetName: string('Name of the data set.'),
    datasetUUID: string('Identity of the data set.'),
  },
  { name: 'io.k8s.api.core.v1.FlockerVolumeSource', doc: 'A data set of Flocker.' },
);

export const fcVolumeSourceSchema = object(
  {
    targetWWNs: list(string(), 'Names of the targets.'),
    lun: pointer(int32('Number of the unit.')),
    fsType: string('File system on it.'),
    readOnly: boolean('Mounts it read-only.'),
    wwids: list(string(), 'World wide identifiers, instead of names and unit.'),
  },
  { name: 'io.k8s.api.core.v1.FCVolumeSource', doc: 'A disk over fibre channel.' },
);

export const azureFileVolumeSourceSchema = object(
  {
    secretName: required(string('Secret with the account and its key.')),
    shareName: required(string('Name of the share.')),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.AzureFileVolumeSource', doc: 'A file share of Azure.' },
);

export const vsphereVirtualDiskVolumeSourceSchema = object(
  {
    volumePath: required(string('Path of the disk.')),
    fsType: string('File system on it.'),
    storagePolicyName: string('Name of the storage policy.'),
    storagePolicyID: string('Identity of the storage policy.'),
  },
  { name: 'io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource', doc: 'A disk of vSphere.' },
);

export const quobyteVolumeSourceSchema = object(
  {
    registry: required(string('Addresses of the registry.')),
    volume: required(string('Name of the volume.')),
    readOnly: boolean('Mounts it read-only.'),
    user: string('User that accesses the volume.'),
    group: string('Group that accesses the volume.'),
    tenant: string('Tenant that owns the volume.'),
  },
  { name: 'io.k8s.api.core.v1.QuobyteVolumeSource', doc: 'A volume of Quobyte.' },
);

export const azureDiskVolumeSourceSchema = object(
  {
    diskName: required(string('Name of the disk.')),
    diskURI: required(string('URI of the disk.')),
    cachingMode: refine(pointer(oneOf(['None', 'ReadOnly', 'ReadWrite'], 'How the host caches.')), {
      default: 'ReadWrite',
    }),
    fsType: refine(pointer(string('File system on it.')), { default: 'ext4' }),
    readOnly: refine(pointer(boolean('Mounts it read-only.')), { default: false }),
    kind: refine(
      pointer(oneOf(['Dedicated', 'Managed', 'Shared'], 'Whether the account is shared, dedicated or managed.')),
      { default: 'Shared' },
    ),
  },
  { name: 'io.k8s.api.core.v1.AzureDiskVolumeSource', doc: 'A disk of Azure.' },
);

export const photonPersistentDiskVolumeSourceSchema = object(
  {
    pdID: required(string('Identity of the disk.')),
    fsType: string('File system on it.'),
  },
  { name: 'io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource', doc: 'A disk of Photon.' },
);

export const portworxVolumeSourceSchema = object(
  {
    volumeID: required(string('Identity of the volume.')),
    fsType: string('File system on it.'),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.PortworxVolumeSource', doc: 'A volume of Portworx.' },
);

export const scaleIOVolumeSourceSchema = object(
  {
    gateway: required(string('Address of the gateway.')),
    system: required(string('Name of the storage system.')),
    secretRef: required(nullPointer(documented(localObjectReferenceSchema, 'Secret with the login.'))),
    sslEnabled: boolean('Talks TLS to the gateway.'),
    protectionDomain: string('Name of the protection domain.'),
    storagePool: string('Name of the storage pool.'),
    storageMode: refine(string('Thick or thin provisioning.'), { default: 'ThinProvisioned' }),
    volumeName: string('Name of the volume.'),
    fsType: refine(string('File system on it.'), { default: 'xfs' }),
    readOnly: boolean('Mounts it read-only.'),
  },
  { name: 'io.k8s.api.core.v1.ScaleIOVolumeSource', doc: 'A volume of ScaleIO.' },
);

export const storageOSVolumeSourceSchema = object(
  {
    volumeName: string('Name of the volume.'),
    volumeNamespace: string('Scope of the volume.'),
    fsType: string('File system on it.'),
    readOnly: boolean('Mounts it read-only.'),
    secretRef: documented(localObjectReferenceSchema, 'Secret with the login.'),
  },
  { name: 'io.k8s.api.core.v1.StorageOSVolumeSource', doc: 'A volume of StorageOS.' },
);
