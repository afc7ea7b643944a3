/**
 * One container of a pod as an OCI runtime spec (config.json). Pure: everything that has to be looked up (image
 * configuration, user, environment, mounts) is given.
 *
 * Secure by default: private namespaces, a seccomp profile, a short list of capabilities, no new
 * privileges unless `allowPrivilegeEscalation: true`, masked and read-only paths of /proc and /sys, cgroups read-only.
 * No rlimits: they stay what the platform itself was started with.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { capabilitiesOf } from '#runtime/oci/capabilities.ts';
import { ociResources, type OciResources } from '#runtime/oci/resources.ts';
import { baselineProfile, type SeccompProfile, strictProfile } from '#runtime/oci/seccomp.ts';

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

export interface BindMount {
  readonly source: string;
  readonly destination: string;
  readonly access: 'read-write' | 'read-only';
  readonly propagation?: 'private' | 'rslave' | 'rshared';
}

export interface SpecInput {
  readonly pod: Pod;
  readonly container: Container;
  /** The command with its arguments, merged from image and container. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: ProcessUser;
  readonly rootfs: string;
  readonly hostname: string;
  /** Path of the pod's network namespace; absent with hostNetwork. */
  readonly netns: string | undefined;
  readonly mounts: readonly BindMount[];
  readonly cgroupsPath: string;
  readonly cgroupVersion: 1 | 2;
  /** As in `process.arch`. */
  readonly arch: string;
}

interface OciSpec {
  readonly ociVersion: string;
  readonly process: Record<string, unknown>;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly mounts: readonly OciMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: LinuxSpec;
}

interface LinuxSpec {
  readonly cgroupsPath: string;
  readonly resources: OciResources;
  readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp?: SeccompProfile;
  readonly sysctl: Readonly<Record<string, string>>;
}

const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Below 1024 without privileges, as container engines allow; the namespace is the pod's own. */
const NETWORK_SYSCTLS = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' };

export function containerSpec(input: SpecInput): OciSpec {
  const { pod, container, rootfs, hostname, netns } = input;
  const security = container.securityContext ?? {};
  const isPrivileged = security.privileged === true;
  return {
    ociVersion: '1.0.2',
    process: processSpec(input),
    root: { path: rootfs, readonly: security.readOnlyRootFilesystem === true },
    ...(pod.spec.hostNetwork ? {} : { hostname }),
    mounts: [...systemMounts(input), ...input.mounts.map(bindMount)],
    annotations: {
      'dev.pinnace.pod.uid': pod.metadata.uid ?? '',
      'dev.pinnace.pod.name': `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`,
      'dev.pinnace.container': container.name,
    },
    linux: {
      cgroupsPath: input.cgroupsPath,
      resources: ociResources(container.resources, isPrivileged),
      namespaces: namespaces(input),
      maskedPaths: isPrivileged ? [] : MASKED,
      readonlyPaths: isPrivileged ? [] : READ_ONLY,
      ...seccompOf(input, isPrivileged),
      sysctl: netns === undefined ? {} : NETWORK_SYSCTLS,
    },
  };
}

function processSpec({ container, args, env, workingDir, user }: SpecInput): Record<string, unknown> {
  const security = container.securityContext ?? {};
  const capabilities = capabilitiesOf(security.capabilities ?? {}, security.privileged === true);
  return {
    terminal: container.tty === true,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args,
    env,
    cwd: workingDir === '' ? '/' : workingDir,
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    noNewPrivileges: security.allowPrivilegeEscalation !== true && security.privileged !== true,
  };
}

function namespaces({ pod, netns, cgroupVersion }: SpecInput): { type: string; path?: string }[] {
  const list: { type: string; path?: string }[] = [{ type: 'mount' }];
  if (!pod.spec.hostPID) list.push({ type: 'pid' });
  if (!pod.spec.hostIPC) list.push({ type: 'ipc' });
  if (!pod.spec.hostNetwork) list.push({ type: 'uts' });
  if (netns !== undefined) list.push({ type: 'network', path: netns });
  if (cgroupVersion === 2) list.push({ type: 'cgroup' });
  return list;
}

function seccompOf({ pod, container, arch }: SpecInput, isPrivileged: boolean): { seccomp?: SeccompProfile } {
  const type = container.securityContext?.seccompProfile?.type ?? pod.spec.securityContext?.seccompProfile?.type;
  if (isPrivileged || type === 'Unconfined') return {};
  if (type !== undefined) return { seccomp: strictProfile({ arch }) };
  const capabilities = capabilitiesOf(container.securityContext?.capabilities ?? {}, isPrivileged);
  return { seccomp: baselineProfile({ arch, capabilities }) };
}

function systemMounts({ container }: SpecInput): OciMount[] {
  const isPrivileged = container.securityContext?.privileged === true;
  const access = isPrivileged ? 'rw' : 'ro';
  const tmpfs = (destination: string, options: readonly string[], source = 'tmpfs'): OciMount => ({
    destination,
    type: 'tmpfs',
    source,
    options,
  });
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    tmpfs('/dev', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    tmpfs('/dev/shm', ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'], 'shm'),
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', access],
    },
  ];
}

function bindMount({ source, destination, access, propagation = 'private' }: BindMount): OciMount {
  const mode = propagation === 'private' ? 'rprivate' : propagation;
  return { destination, type: 'bind', source, options: ['rbind', mode, access === 'read-only' ? 'ro' : 'rw'] };
}
