/**
 * The two seccomp profiles.
 *
 * `baseline` is what a container gets that asks for nothing (in Kubernetes it gets none): calls through which unprivileged
 * programs have broken out of containers, and those that only somebody with a capability needs which this container
 * lacks, fail with EPERM. clone3, whose flags cannot be inspected, fails with ENOSYS, so that C libraries fall back to
 * clone.
 *
 * `strict` is `RuntimeDefault`: calls that ordinary programs need are allowed, everything else fails with EPERM, also
 * what a later kernel brings.
 *
 * A runtime takes time for each name (runc with libseccomp 2.5: 2 ms for `baseline`, 10 ms for `strict`, at each start).
 * The names are those of Linux 6; a runtime leaves out the ones that it does not know.
 */

/** strict: allowed whatever the arguments. */
const ALLOWED = `
accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown chown32
clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64
madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_getfd pidfd_open pidfd_send_signal pipe
pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64
process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv
recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2
restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown
sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs
statfs64 statmount statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs sysinfo tee tgkill time
timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64
ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4
waitid waitpid write writev
`;

/** strict: flags of clone that make namespaces: CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}. */
const CLONE_NAMESPACE_FLAGS = 0x7e020000;

/** strict: personality(2) may be set to these only: Linux, and the address-space forms that debuggers and JITs ask for. */
const PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

const ENOSYS = 38;
const EPERM = 1;

interface SyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo?: number;
    readonly op: string;
  }[];
}

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SyscallRule[];
}

const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  // Not x32: no distribution's kernel serves it, and each architecture costs milliseconds at every start.
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** baseline: refused to everybody. Keys are not per namespace, and the rest has brought more holes than uses. */
const REFUSED = `
_sysctl add_key create_module get_kernel_syms io_uring_enter io_uring_register io_uring_setup keyctl modify_ldt
nfsservctl query_module request_key sysfs uselib userfaultfd ustat vm86 vm86old
`;

/** baseline: refused to a container that has none of the capabilities. */
const REFUSED_WITHOUT: readonly (readonly [capabilities: readonly string[], names: string])[] = [
  [
    ['CAP_SYS_ADMIN'],
    `fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree open_tree_attr
     pivot_root
     quotactl quotactl_fd setdomainname sethostname setns swapoff swapon umount umount2`,
  ],
  [['CAP_SYS_ADMIN', 'CAP_BPF'], 'bpf'],
  [['CAP_SYS_ADMIN', 'CAP_PERFMON'], 'perf_event_open'],
  [['CAP_SYS_ADMIN', 'CAP_SYSLOG'], 'syslog'],
  [['CAP_DAC_READ_SEARCH'], 'open_by_handle_at'],
  [['CAP_SYS_BOOT'], 'kexec_file_load kexec_load reboot'],
  [['CAP_SYS_MODULE'], 'delete_module finit_module init_module'],
  [['CAP_SYS_PACCT'], 'acct'],
  [['CAP_SYS_RAWIO'], 'ioperm iopl'],
  [['CAP_SYS_TIME'], 'clock_settime clock_settime64 settimeofday stime'],
  [['CAP_SYS_TTY_CONFIG'], 'vhangup'],
];

/** Sockets of this family lead past the pod's network to what the machine runs on. (32-bit programs are not held up.) */
const AF_VSOCK = 40;

/** A user namespace would give all capabilities inside, and with them most of what is refused. */
const CLONE_NEWUSER = 0x10000000;

export interface ProfileOptions {
  /** As in `process.arch`. */
  readonly arch: string;
  /** Those of the container: `CAP_SYS_ADMIN`. */
  readonly capabilities: readonly string[];
}

export function baselineProfile({ arch, capabilities }: ProfileOptions): SeccompProfile {
  const held = new Set(capabilities);
  const lacking = REFUSED_WITHOUT.filter(([any]) => !any.some((name) => held.has(name)));
  const refuse = { action: 'SCMP_ACT_ERRNO', errnoRet: EPERM };
  const asksForUser = [{ index: 0, value: CLONE_NEWUSER, valueTwo: CLONE_NEWUSER, op: 'SCMP_CMP_MASKED_EQ' }];
  const ofNamespaces: SyscallRule[] = [
    { names: ['clone', 'unshare'], ...refuse, args: asksForUser },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ];
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ARCHITECTURES[arch] ?? [],
    syscalls: [
      { names: [REFUSED, ...lacking.map(([, names]) => names)].flatMap(words), ...refuse },
      { names: ['socket'], ...refuse, args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_EQ' }] },
      ...(held.has('CAP_SYS_ADMIN') ? [] : ofNamespaces),
    ],
  };
}

export function strictProfile({ arch }: Pick<ProfileOptions, 'arch'>): SeccompProfile {
  const allow = 'SCMP_ACT_ALLOW';
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[arch] ?? [],
    syscalls: [
      { names: words(ALLOWED), action: allow },
      {
        names: ['clone'],
        action: allow,
        args: [{ index: 0, value: CLONE_NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      { names: ['socket'], action: allow, args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }] },
      ...PERSONALITIES.map((value) => ({
        names: ['personality'],
        action: allow,
        args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
      })),
    ],
  };
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
