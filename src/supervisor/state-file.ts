/**
 * `run/platform.json`, and files written whole: under another name first, then renamed, so a reader sees the old or
 * the new content and never half of it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { PlatformState, StatePaths } from '#protocol/platform.ts';
import { hasCode } from '#sys/errors.ts';
import { bootId } from '#sys/proc.ts';

export function writeJson(file: string, value: unknown): void {
  const partial = `${file}.${process.pid}.tmp`;
  writeFileSync(partial, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(partial, file);
}

/** Undefined when there is none, when it is from before a reboot, or when a power cut left it empty. */
export function readPlatformState(paths: Pick<StatePaths, 'platformState'>): PlatformState | undefined {
  try {
    const state = JSON.parse(readFileSync(paths.platformState, 'utf8')) as PlatformState;
    return state.bootId === bootId() ? state : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
