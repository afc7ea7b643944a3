import { type Setting, setting } from '#knative/config/examples/setting.ts';

const pod = (name: string, doc: string, value = 'disabled') => setting(`kubernetes.podspec-${name}`, value, doc);

export const featuresSettings: readonly Setting[] = [
  setting(
    'multi-container',
    'enabled',
    'Whether a revision may have containers beside the one that answers requests. All flags take "enabled", ' +
      '"disabled" and "allowed"; the last means that users may use the feature but nothing is done by itself.',
  ),
  setting('multi-container-probing', 'disabled', 'Whether those other containers may have probes.'),
  pod('affinity', 'Whether a template may set affinity.'),
  pod('topologyspreadconstraints', 'Whether a template may set topologySpreadConstraints.'),
  pod('hostaliases', 'Whether a template may set hostAliases, lines for /etc/hosts.'),
  pod('nodeselector', 'Whether a template may set nodeSelector.'),
  pod('tolerations', 'Whether a template may set tolerations.'),
  pod('fieldref', 'Whether environment variables may take fields of the pod and resources of the container.'),
  pod('runtimeclassname', 'Whether a template may set runtimeClassName.'),
  pod('dnspolicy', 'Whether a template may set dnsPolicy.'),
  pod('dnsconfig', 'Whether a template may set dnsConfig.'),
  pod(
    'securitycontext',
    'Whether a template may set securityContext for the whole pod: user, group, non-root, fsGroup, ' +
      'supplementalGroups, seccompProfile.',
  ),
  pod('shareprocessnamespace', 'Whether a template may set shareProcessNamespace.'),
  pod('hostipc', "Whether pods may use the machine's IPC namespace. A risk: they see its shared memory."),
  pod('hostpid', "Whether pods may use the machine's process namespace. A risk: they see all processes."),
  pod('hostnetwork', "Whether pods may use the machine's network. A risk: they reach what listens on it only."),
  pod('priorityclassname', 'Whether a template may set priorityClassName.'),
  pod('schedulername', 'Whether a template may set schedulerName.'),
  setting(
    'kubernetes.containerspec-addcapabilities',
    'disabled',
    'Whether containers may add Linux capabilities. A risk: some of them are as good as root.',
  ),
  pod('init-containers', 'Whether a template may have initContainers.'),
  pod('volumes-emptydir', 'Whether emptyDir volumes may be used.', 'enabled'),
  pod('volumes-hostpath', 'Whether hostPath volumes may be used. A risk: files of the machine are open to pods.'),
  pod('volumes-csi', 'Whether csi volumes may be used.'),
  pod('volumes-ephemeral', 'Whether ephemeral volumes may be used.'),
  pod('volumes-image', 'Whether image volumes may be used.'),
  pod('volumes-mount-propagation', 'Whether mounts may set mountPropagation.'),
  pod('persistent-volume-claim', 'Whether persistentVolumeClaim volumes may be used, to read.'),
  pod('persistent-volume-write', 'Whether they may also be written.'),
  setting(
    'secure-pod-defaults',
    'disabled',
    'With "enabled" containers that say nothing run as non-root, without capabilities, without privilege ' +
      'escalation and with the default seccomp profile. "allowrootbounded" does the same but leaves root alone.',
  ),
  setting('queueproxy.mount-podinfo', 'disabled', 'Whether the queue-proxy gets the labels of its pod as a file.'),
  setting('queueproxy.resource-defaults', 'disabled', 'Whether the queue-proxy gets limits on processor and memory.'),
  setting(
    'tag-header-based-routing',
    'disabled',
    'Whether a request with the header Knative-Serving-Tag goes to the target with that tag.',
  ),
  setting('autodetect-http2', 'disabled', 'Whether it is found out by trying that a container speaks HTTP/2.'),
];
