/** Which manifest of an index suits this machine. */
import { arch } from 'node:process';
import { ImageError } from '#runtime/image/errors.ts';
import type { ImageIndex, IndexEntry, Platform } from '#runtime/image/manifest.ts';

const ARCHITECTURES: Readonly<Record<string, Platform>> = {
  x64: { os: 'linux', architecture: 'amd64' },
  arm64: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
  ia32: { os: 'linux', architecture: '386' },
};

/** This machine, in OCI's words. */
export function hostPlatform(): Platform {
  return ARCHITECTURES[arch] ?? { os: 'linux', architecture: arch };
}

/** The first best match; attestations and other entries of platform `unknown` never match. */
export function selectManifest(index: ImageIndex, wanted: Platform): IndexEntry {
  const ranked = index.manifests
    .map((entry) => ({ entry, rank: rankOf(entry, wanted) }))
    .filter(({ rank }) => rank > 0)
    .sort((left, right) => right.rank - left.rank);
  const best = ranked[0]?.entry;
  if (best) return best;
  const offered = index.manifests.map(({ platform }) => platformText(platform)).join(', ') || 'nothing';
  throw new ImageError(
    'NoMatchingPlatform',
    `no match for platform in manifest: ${platformText(wanted)} wanted, has ${offered}`,
  );
}

/** 0: no. An entry without a platform is taken when nothing better is there, as is an older variant of ARM. */
function rankOf({ platform, annotations }: IndexEntry, wanted: Platform): number {
  if (annotations['vnd.docker.reference.type'] !== undefined) return 0;
  if (!platform) return 1;
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return 0;
  if (variantOf(platform) === variantOf(wanted)) return 100;
  if (wanted.architecture !== 'arm') return platform.variant === undefined ? 50 : 0;
  const offered = Number(variantOf(platform).slice(1));
  return offered < Number(variantOf(wanted).slice(1)) ? 10 + offered : 0;
}

function variantOf({ architecture, variant }: Platform): string {
  if (variant !== undefined) return variant;
  if (architecture === 'arm64') return 'v8';
  return architecture === 'arm' ? 'v7' : '';
}

function platformText(platform: Platform | undefined): string {
  if (!platform) return 'unspecified';
  return [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join('/');
}
