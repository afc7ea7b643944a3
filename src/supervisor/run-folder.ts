/**
 * `DIR/run` in memory: a tmpfs, which the machine forgets when it is started anew, as what is in there should be. A disk
 * takes its time to make a file, and every container start makes a dozen.
 */
import { mkdirSync } from 'node:fs';
import { mount, MS_NODEV, MS_NOSUID } from '#sys/mount.ts';
import { mountsBelow, unmountBelow } from '#sys/mounts.ts';

/** Thousands of pods; only what the platform itself writes is in there. */
const SIZE = '256m';

/** A mount of an earlier supervisor is taken over with what is in it. */
export function mountRunFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (mountsBelow(folder).some(({ target, type }) => target === folder && type === 'tmpfs')) return;
  mount({
    source: 'pinnace',
    target: folder,
    type: 'tmpfs',
    flags: MS_NOSUID | MS_NODEV,
    options: `mode=0700,size=${SIZE}`,
  });
}

export function unmountRunFolder(folder: string): void {
  unmountBelow(folder);
}
