/** Which TCP ports a process's network listens on: for the hint that an application chose another one. */
import { readFileSync } from 'node:fs';

const LISTEN = '0A';

/** Ascending, each once; empty when the process is gone. */
function listeningPorts(pid: number): number[] {
  const ports = ['tcp', 'tcp6'].flatMap((table) => parseListening(readTable(`/proc/${pid}/net/${table}`)));
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** @param table as `/proc/PID/net/tcp` has it. */
function parseListening(table: string): number[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTEN)
    .map(([, local = '']) => Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
}

/** What to add to a refused connection's message. */
export function listeningHint(pid: number): string {
  const ports = listeningPorts(pid);
  if (ports.length === 0) return 'the container listens on no port';
  return `the container listens on ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}`;
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
