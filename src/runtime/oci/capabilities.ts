/** Linux capabilities of a container: what OCI engines give by default, changed by `securityContext`. Pure. */

/** The default set of Docker and containerd: enough for ordinary servers, nothing that touches the machine. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** Every capability of Linux 6, for privileged containers and `add: [ALL]`. */
export const ALL_CAPABILITIES: readonly string[] = [
  ...DEFAULT_CAPABILITIES,
  'CAP_AUDIT_CONTROL',
  'CAP_AUDIT_READ',
  'CAP_BLOCK_SUSPEND',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
  'CAP_DAC_READ_SEARCH',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_LEASE',
  'CAP_LINUX_IMMUTABLE',
  'CAP_MAC_ADMIN',
  'CAP_MAC_OVERRIDE',
  'CAP_NET_ADMIN',
  'CAP_NET_BROADCAST',
  'CAP_PERFMON',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_MODULE',
  'CAP_SYS_NICE',
  'CAP_SYS_PACCT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
];

export interface CapabilityChanges {
  readonly add?: readonly string[] | undefined;
  readonly drop?: readonly string[] | undefined;
}

/** `drop: [ALL]` begins from nothing; additions come last, as in Kubernetes. Names with or without `CAP_`. */
export function capabilitiesOf({ add = [], drop = [] }: CapabilityChanges, isPrivileged: boolean): string[] {
  if (isPrivileged) return [...ALL_CAPABILITIES];
  const dropped = new Set(drop.map(fullName));
  const base = dropped.has('CAP_ALL') ? [] : DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name));
  const added = add.map(fullName);
  const all = added.includes('CAP_ALL') ? ALL_CAPABILITIES.filter((name) => !dropped.has(name)) : [];
  return [...new Set([...base, ...all, ...added.filter((name) => name !== 'CAP_ALL')])].sort();
}

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}
