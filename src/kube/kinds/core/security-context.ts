/** Users, groups, capabilities and confinement of pods and containers. */
import {
  boolean,
  documented,
  type Infer,
  int64,
  list,
  object,
  oneOf,
  pointer,
  required,
  string,
} from '#kube/schema.ts';

const capabilitiesSchema = object(
  {
    add: list(string(), 'Capabilities to add.'),
    drop: list(string(), 'Capabilities to drop.'),
  },
  {
    name: 'io.k8s.api.core.v1.Capabilities',
    doc: "POSIX capabilities added to or taken from the runtime's default set.",
  },
);

const seLinuxOptionsSchema = object(
  {
    user: string('User label.'),
    role: string('Role label.'),
    type: string('Type label.'),
    level: string('Level label.'),
  },
  { name: 'io.k8s.api.core.v1.SELinuxOptions', doc: 'Labels of SELinux.' },
);

const windowsSecurityContextOptionsSchema = object(
  {
    gmsaCredentialSpecName: pointer(string('Name of the GMSA credential spec.')),
    gmsaCredentialSpec: pointer(string('The GMSA credential spec itself.')),
    runAsUserName: pointer(string('User that runs the entry point.')),
    hostProcess: pointer(boolean('Whether the container runs on the host.')),
  },
  {
    name: 'io.k8s.api.core.v1.WindowsSecurityContextOptions',
    doc: 'Settings for Windows, which this platform ignores.',
  },
);

const seccompProfileSchema = object(
  {
    type: required(oneOf(['Localhost', 'RuntimeDefault', 'Unconfined'], 'Which sort of profile applies.')),
    localhostProfile: pointer(string('File of the profile on the node, for type Localhost.')),
  },
  { name: 'io.k8s.api.core.v1.SeccompProfile', doc: 'Which system calls are allowed.' },
);
export type SeccompProfile = Infer<typeof seccompProfileSchema>;

const appArmorProfileSchema = object(
  {
    type: required(oneOf(['Localhost', 'RuntimeDefault', 'Unconfined'], 'Which sort of profile applies.')),
    localhostProfile: pointer(string('Name of the loaded profile, for type Localhost.')),
  },
  { name: 'io.k8s.api.core.v1.AppArmorProfile', doc: 'Which AppArmor profile applies.' },
);

const sysctlSchema = object(
  {
    name: required(string('Name of the parameter.')),
    value: required(string('Value of the parameter.')),
  },
  { name: 'io.k8s.api.core.v1.Sysctl', doc: 'One kernel parameter.' },
);

export const securityContextSchema = object(
  {
    capabilities: documented(capabilitiesSchema, 'Capabilities to add and drop.'),
    privileged: pointer(boolean("Whether the container has all powers of the host's root.")),
    seLinuxOptions: documented(seLinuxOptionsSchema, 'SELinux labels of the container.'),
    windowsOptions: documented(windowsSecurityContextOptionsSchema, 'Settings for Windows.'),
    runAsUser: pointer(int64('User id of the entry point.')),
    runAsGroup: pointer(int64('Group id of the entry point.')),
    runAsNonRoot: pointer(boolean('Refuses to start the container as user 0.')),
    readOnlyRootFilesystem: pointer(boolean('Makes the root file system read-only.')),
    allowPrivilegeEscalation: pointer(boolean('Whether a process may gain more privileges than its parent.')),
    procMount: pointer(oneOf(['Default', 'Unmasked'], 'How /proc is mounted.')),
    seccompProfile: documented(seccompProfileSchema, 'Allowed system calls.'),
    appArmorProfile: documented(appArmorProfileSchema, 'AppArmor profile.'),
  },
  { name: 'io.k8s.api.core.v1.SecurityContext', doc: "Security settings of one container; they win over the pod's." },
);
export type SecurityContext = Infer<typeof securityContextSchema>;

export const podSecurityContextSchema = object(
  {
    seLinuxOptions: documented(seLinuxOptionsSchema, 'SELinux labels of the containers.'),
    windowsOptions: documented(windowsSecurityContextOptionsSchema, 'Settings for Windows.'),
    runAsUser: pointer(int64('User id of the entry points.')),
    runAsGroup: pointer(int64('Group id of the entry points.')),
    runAsNonRoot: pointer(boolean('Refuses to start containers as user 0.')),
    supplementalGroups: list(int64(), 'More groups of the first process of each container.'),
    supplementalGroupsPolicy: pointer(oneOf(['Merge', 'Strict'], "Whether groups of the image's user are merged in.")),
    fsGroup: pointer(int64("Group that owns the pod's volumes.")),
    sysctls: list(sysctlSchema, "Kernel parameters of the pod's namespaces."),
    fsGroupChangePolicy: pointer(oneOf(['Always', 'OnRootMismatch'], "When the owner of a volume's files is changed.")),
    seccompProfile: documented(seccompProfileSchema, 'Allowed system calls.'),
    appArmorProfile: documented(appArmorProfileSchema, 'AppArmor profile.'),
    seLinuxChangePolicy: pointer(string('How SELinux labels get onto volumes.')),
  },
  { name: 'io.k8s.api.core.v1.PodSecurityContext', doc: 'Security settings of all containers of a pod.' },
);
export type PodSecurityContext = Infer<typeof podSecurityContextSchema>;
