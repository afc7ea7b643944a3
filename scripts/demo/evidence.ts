/** What the platform's own logs complain of: shown when a step failed, since the logs go with the platform. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { statePaths } from '#protocol/platform.ts';

const LOGS = ['supervisor.log', 'control.log', 'gateway.log'];
const MAX_LINES = 8;

/** The last warnings and errors, and lines that are no log entries, the newest last. */
export function complaints(stateDir: string): string[] {
  const files = LOGS.map((name) => path.join(statePaths(stateDir).log, name)).filter((file) => existsSync(file));
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').flatMap(complaint)).slice(-MAX_LINES);
}

function complaint(line: string): string[] {
  if (line === '') return [];
  try {
    const { level, process, message, error } = JSON.parse(line) as Record<string, unknown>;
    if (level !== 'warn' && level !== 'error') return [];
    return [`${String(process)}: ${String(message)}${error === undefined ? '' : ` (${causeOf(error)})`}`];
  } catch {
    return [line];
  }
}

function causeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : JSON.stringify(error);
}
