/**
 * config-features: what users may use beyond the safe part of a PodSpec, and optional behaviour.
 *
 * Values are Enabled, Allowed and Disabled in any case; any other text keeps the default. A flag whose feature this
 * platform lacks is read all the same.
 */
import { type ConfigData, ConfigReader } from '#knative/config/read.ts';

export type Flag = 'Enabled' | 'Allowed' | 'Disabled';
export type SecurePodDefaults = 'Enabled' | 'AllowRootBounded' | 'Disabled';

const FLAGS = ['Enabled', 'Allowed', 'Disabled'] as const;
const SECURE = ['Enabled', 'AllowRootBounded', 'Disabled'] as const;

/** Member → key of the ConfigMap. */
const KEYS = {
  multiContainer: 'multi-container',
  multiContainerProbing: 'multi-container-probing',
  podSpecAffinity: 'kubernetes.podspec-affinity',
  podSpecTopologySpreadConstraints: 'kubernetes.podspec-topologyspreadconstraints',
  podSpecHostAliases: 'kubernetes.podspec-hostaliases',
  podSpecNodeSelector: 'kubernetes.podspec-nodeselector',
  podSpecTolerations: 'kubernetes.podspec-tolerations',
  podSpecFieldRef: 'kubernetes.podspec-fieldref',
  podSpecRuntimeClassName: 'kubernetes.podspec-runtimeclassname',
  podSpecDnsPolicy: 'kubernetes.podspec-dnspolicy',
  podSpecDnsConfig: 'kubernetes.podspec-dnsconfig',
  podSpecSecurityContext: 'kubernetes.podspec-securitycontext',
  podSpecShareProcessNamespace: 'kubernetes.podspec-shareprocessnamespace',
  podSpecHostIpc: 'kubernetes.podspec-hostipc',
  podSpecHostPid: 'kubernetes.podspec-hostpid',
  podSpecHostNetwork: 'kubernetes.podspec-hostnetwork',
  podSpecPriorityClassName: 'kubernetes.podspec-priorityclassname',
  podSpecSchedulerName: 'kubernetes.podspec-schedulername',
  podSpecInitContainers: 'kubernetes.podspec-init-containers',
  podSpecPersistentVolumeClaim: 'kubernetes.podspec-persistent-volume-claim',
  podSpecPersistentVolumeWrite: 'kubernetes.podspec-persistent-volume-write',
  podSpecVolumesEmptyDir: 'kubernetes.podspec-volumes-emptydir',
  podSpecVolumesHostPath: 'kubernetes.podspec-volumes-hostpath',
  podSpecVolumesCsi: 'kubernetes.podspec-volumes-csi',
  podSpecVolumesEphemeral: 'kubernetes.podspec-volumes-ephemeral',
  podSpecVolumesImage: 'kubernetes.podspec-volumes-image',
  podSpecVolumesMountPropagation: 'kubernetes.podspec-volumes-mount-propagation',
  containerSpecAddCapabilities: 'kubernetes.containerspec-addcapabilities',
  tagHeaderBasedRouting: 'tag-header-based-routing',
  autodetectHttp2: 'autodetect-http2',
  queueProxyMountPodInfo: 'queueproxy.mount-podinfo',
  queueProxyResourceDefaults: 'queueproxy.resource-defaults',
} as const;

export type FeatureName = keyof typeof KEYS;
export type FeaturesConfig = Readonly<Record<FeatureName, Flag>> & { readonly securePodDefaults: SecurePodDefaults };

const ENABLED_BY_DEFAULT: readonly FeatureName[] = ['multiContainer', 'podSpecVolumesEmptyDir'];

export function parseFeaturesConfig(data: ConfigData): FeaturesConfig {
  const reader = new ConfigReader(data);
  const names = Object.keys(KEYS) as FeatureName[];
  const flags = names.map((name): [FeatureName, Flag] => {
    const fallback: Flag = ENABLED_BY_DEFAULT.includes(name) ? 'Enabled' : 'Disabled';
    return [name, reader.choice(KEYS[name], FLAGS, fallback)];
  });
  const securePodDefaults = reader.choice('secure-pod-defaults', SECURE, 'Disabled');
  return { ...(Object.fromEntries(flags) as Record<FeatureName, Flag>), securePodDefaults };
}

/** Whether containers are given safe settings where they say nothing. */
export function hasSecureDefaults({ securePodDefaults }: FeaturesConfig): boolean {
  return securePodDefaults !== 'Disabled';
}
