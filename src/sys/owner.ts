/**
 * Who holds a TCP port, for error texts: a search through /proc that may miss (other namespaces, races) and is never
 * the ground for a decision.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '#sys/errors.ts';
import { processStat, readProc } from '#sys/proc.ts';

export interface PortOwner {
  readonly pid: number;
  /** The name of its executable. */
  readonly command: string;
}

const STATE_LISTEN = '0A';

/** The inodes of sockets that listen on `port`, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === STATE_LISTEN)
    .map((fields) => fields[9] ?? '');
}

/** The first process found that holds a listening socket on `port`. */
export function portOwner(port: number): PortOwner | undefined {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readProc(file) ?? '');
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  return holdersOf((target) => sockets.has(target))[0];
}

/** Processes that have `file` open, in the order of their pids. */
export function fileHolders(file: string): PortOwner[] {
  return holdersOf((target) => target === file);
}

function holdersOf(isWanted: (target: string) => boolean): PortOwner[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .map(Number)
    .sort((a, b) => a - b)
    .filter((pid) => openFiles(pid).some(isWanted))
    .map((pid) => ({ pid, command: programOf(pid) }));
}

/** The executable's name: many programs call their main thread something else. */
function programOf(pid: number): string {
  const [executable = ''] = linkTarget(`/proc/${pid}/exe`);
  return path.basename(executable) || (processStat(pid)?.command ?? '');
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((fd) => linkTarget(`${folder}/${fd}`));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return [];
    throw error;
  }
}

function linkTarget(link: string): string[] {
  try {
    return [readlinkSync(link)];
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return [];
    throw error;
  }
}
