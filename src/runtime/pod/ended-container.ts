/** What became of a container that ended: exit code, reason and last words, as the API shows them. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import type { Container } from '#kube/kinds/core/container.ts';
import { type CgroupLayout, controllerFolder } from '#sys/cgroup-layout.ts';
import { readLog } from '#runtime/logs/log-reader.ts';
import type { Exit } from '#runtime/pod/exits.ts';

/** Bounds of a termination message, as the kubelet has them: the file, and the log where it stands in. */
const MAX_MESSAGE_BYTES = 4_096;
const MAX_LOG_MESSAGE_BYTES = 2_048;
const MAX_LOG_MESSAGE_LINES = 80;

/** Exit code that is shown when nobody could learn the real one. */
const UNKNOWN_EXIT_CODE = 137;

const SIGNAL_BASE = 128;

export interface Ending {
  readonly exitCode: number;
  readonly signal?: number | undefined;
  readonly reason: string;
  readonly message?: string | undefined;
}

export interface EndingInput {
  readonly container: Container;
  readonly exit: Exit;
  readonly wasOomKilled: boolean;
  readonly terminationLog: string;
  readonly logFile: string;
}

export async function endingOf({
  container,
  exit,
  wasOomKilled,
  terminationLog,
  logFile,
}: EndingInput): Promise<Ending> {
  const { signal } = exit;
  const isKnown = exit.exitCode !== undefined || signal !== undefined;
  const exitCode = exit.exitCode ?? (signal === undefined ? UNKNOWN_EXIT_CODE : SIGNAL_BASE + signal);
  const written = readHead(terminationLog, MAX_MESSAGE_BYTES);
  const fallsBack = container.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
  const message = written === '' && fallsBack ? await lastWords(logFile) : written;
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    reason: reasonOf(exitCode, { isKnown, wasOomKilled }),
    message,
  };
}

function reasonOf(exitCode: number, { isKnown, wasOomKilled }: { isKnown: boolean; wasOomKilled: boolean }): string {
  if (!isKnown) return 'ContainerStatusUnknown';
  if (wasOomKilled) return 'OOMKilled';
  return exitCode === 0 ? 'Completed' : 'Error';
}

/** The file is the container's: only its first bytes are read. */
function readHead(file: string, limit: number): string {
  if (!existsSync(file)) return '';
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(limit);
    return buffer.subarray(0, readSync(fd, buffer, 0, limit, 0)).toString('utf8');
  } finally {
    closeSync(fd);
  }
}

async function lastWords(file: string): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of readLog({ file }, { tailLines: MAX_LOG_MESSAGE_LINES }, new AbortController().signal))
    pieces.push(piece);
  const text = Buffer.concat(pieces);
  return text.subarray(Math.max(0, text.length - MAX_LOG_MESSAGE_BYTES)).toString('utf8');
}

/** Whether the kernel killed a process of the group for memory; read before the group is removed. */
export function wasOomKilled(layout: CgroupLayout, cgroup: string): boolean {
  const folder = controllerFolder(layout, 'memory', cgroup);
  if (folder === undefined) return false;
  for (const name of ['memory.events', 'memory.oom_control']) {
    const file = path.join(folder, name);
    if (!existsSync(file)) continue;
    const count = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1];
    if (count !== undefined) return Number(count) > 0;
  }
  return false;
}
