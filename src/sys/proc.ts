/**
 * Facts about processes from /proc. A pid alone is no identity, since numbers are used again: a pid with its start
 * time is. Every answer may be stale as soon as it is given.
 */
import { readFileSync } from 'node:fs';
import { hasCode } from '#sys/errors.ts';

export interface ProcessStat {
  readonly pid: number;
  readonly command: string;
  /** One letter: R, S, D, Z (ended, not yet waited for) and so on. */
  readonly state: string;
  readonly parent: number;
  /** Clock ticks since boot. */
  readonly startTicks: number;
  /** How a process in state Z ended, as wait(2) would say; 0 for others, and for readers without the right to trace. */
  readonly waitStatus: number;
}

export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** Fields 1 to 4, 22 and 52 of /proc/PID/stat; the command may hold spaces and parentheses. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text
    .slice(close + 1)
    .trim()
    .split(' ');
  const [state = '', parent = ''] = fields;
  const startTicks = Number(fields[19]);
  const pid = Number(text.slice(0, open));
  if (!Number.isInteger(pid) || !Number.isInteger(startTicks)) return undefined;
  const waitStatus = Number(fields[49] ?? 0);
  return { pid, command: text.slice(open + 1, close), state, parent: Number(parent), startTicks, waitStatus };
}

/** Undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseProcessStat(text);
}

/** The identity of a process that runs, zombies excluded. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = processStat(pid);
  return stat === undefined || stat.state === 'Z' ? undefined : { pid, startTicks: stat.startTicks };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startTicks === identity.startTicks;
}

/**
 * Children of the main thread: those that it started and all that this process inherited, ended ones too until they
 * are waited for.
 */
export function childPids(): number[] {
  return parsePids(readProc(`/proc/self/task/${process.pid}/children`));
}

export function parsePids(text: string | undefined): number[] {
  return (text ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}

/** Differs after each boot of the machine. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** The text of a file below /proc; undefined when the process that it belongs to is gone. */
export function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
