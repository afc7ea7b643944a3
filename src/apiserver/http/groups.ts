/** The served kinds by group and version, in the order in which discovery lists them. */
import type { Registry, ServedKind } from '#apiserver/registry.ts';

export interface ServedVersion {
  readonly name: string;
  readonly kinds: readonly ServedKind[];
}

export interface ServedGroup {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly ServedVersion[];
  readonly isCustom: boolean;
}

export function groupsOf(registry: Registry): ServedGroup[] {
  const byGroup = Map.groupBy(registry.list(), ({ kind }) => kind.group);
  return [...byGroup].map(([name, kinds]) => ({
    name,
    versions: versionsOf(kinds),
    isCustom: kinds.every(({ kind }) => kind.isCustom),
  }));
}

function versionsOf(kinds: readonly ServedKind[]): ServedVersion[] {
  const byVersion = [...Map.groupBy(kinds, ({ kind }) => kind.version)];
  return byVersion
    .sort(([a], [b]) => compareVersions(a, b))
    .map(([name, served]) => ({ name, kinds: served.sort((a, b) => (a.kind.plural < b.kind.plural ? -1 : 1)) }));
}

const STAGES = ['alpha', 'beta', undefined];

/** Kubernetes' order: v10, v2, v1, v1beta1, v1alpha1, then anything else by name. */
function compareVersions(left: string, right: string): number {
  const [a, b] = [parseVersion(left), parseVersion(right)];
  if (!a || !b) return a ? -1 : b ? 1 : left < right ? -1 : 1;
  return b.stage - a.stage || b.major - a.major || b.minor - a.minor;
}

function parseVersion(text: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
  if (!match) return undefined;
  return { stage: STAGES.indexOf(match[2]), major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
