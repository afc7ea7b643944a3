/**
 * Where this machine keeps its control groups.
 *
 * v1 has a tree per controller, v2 one tree, hybrid a v2 tree without controllers beside v1's. A control group is
 * named by its path below the roots of all of them, such as `/pinnace-1a2b3c4d/pod1`.
 */
import path from 'node:path';
import { type MountInfo, readMounts } from '#sys/mounts.ts';

export interface CgroupLayout {
  readonly version: 'v1' | 'v2' | 'hybrid';
  /** The root of the v2 tree. */
  readonly unified: string | undefined;
  /** The root of each v1 controller's tree; `cpu` and `cpuacct` often share one. */
  readonly controllers: ReadonlyMap<string, string>;
  /** The roots of all trees, also of those without a controller (v1's `name=systemd`), in which runtimes make groups too. */
  readonly roots: readonly string[];
}

/** The controllers of v1 that limit or measure; a tree named otherwise (systemd's) has none. */
const V1_CONTROLLERS: ReadonlySet<string> = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
]);

/** Undefined when no control group file system is mounted at all. */
export function detectCgroups(mounts: readonly MountInfo[] = readMounts()): CgroupLayout | undefined {
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.target;
  const controllers = new Map<string, string>();
  const roots = new Set(unified === undefined ? [] : [unified]);
  for (const { type, target, superOptions } of mounts) {
    if (type !== 'cgroup') continue;
    roots.add(target);
    for (const option of superOptions) {
      if (V1_CONTROLLERS.has(option) && !controllers.has(option)) controllers.set(option, target);
    }
  }
  const trees = { unified, controllers, roots: [...roots] };
  if (controllers.size === 0) return unified === undefined ? undefined : { version: 'v2', ...trees };
  return { version: unified === undefined ? 'v1' : 'hybrid', ...trees };
}

/** The group's folder in every tree, each once. */
export function cgroupFolders(layout: CgroupLayout, cgroup: string): string[] {
  return layout.roots.map((root) => path.join(root, cgroup));
}

/** The group's folder in the tree that has `controller`. */
export function controllerFolder(layout: CgroupLayout, controller: string, cgroup: string): string | undefined {
  const root = layout.controllers.get(controller) ?? (layout.controllers.size === 0 ? layout.unified : undefined);
  return root === undefined ? undefined : path.join(root, cgroup);
}
