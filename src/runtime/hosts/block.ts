/**
 * The lines of one platform in /etc/hosts: a block between two marks that carry the platform's name, so that several
 * platforms share the file and each takes away only its own. Pure.
 */

/** Most hosts that one platform writes; more would slow every look-up on the machine. */
const MAX_HOSTS = 5_000;

/** A host name that fits on a line of the file and could not be mistaken for anything else in it. */
const HOST = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;
const MAX_HOST_LENGTH = 253;

const beginMark = (instance: string) => `# BEGIN pinnace ${instance} (written by pinnace; changes here are lost)`;
const endMark = (instance: string) => `# END pinnace ${instance}`;

export function isHostName(text: string): boolean {
  return text.length <= MAX_HOST_LENGTH && HOST.test(text);
}

export interface HostsBlock {
  /** Names the platform. */
  readonly instance: string;
  readonly address: string;
  readonly hosts: readonly string[];
}

/** `text` with the block of `instance` replaced; without hosts the block goes. The rest stays byte by byte. */
export function withBlock(text: string, { instance, address, hosts }: HostsBlock): string {
  const rest = withoutBlock(text, instance);
  const names = [...new Set(hosts)].filter(isHostName).sort().slice(0, MAX_HOSTS);
  if (names.length === 0) return rest;
  const lines = [beginMark(instance), ...names.map((name) => `${address} ${name}`), endMark(instance)];
  const separator = rest === '' || rest.endsWith('\n') ? '' : '\n';
  return `${rest}${separator}${lines.join('\n')}\n`;
}

export function withoutBlock(text: string, instance: string): string {
  const lines = text.split('\n');
  const begin = lines.findIndex((line) => line.startsWith(`# BEGIN pinnace ${instance} `));
  if (begin < 0) return text;
  const end = lines.indexOf(endMark(instance), begin);
  // A block that somebody cut off ends where the last of its own lines does.
  const last = end >= 0 ? end : lastOwnLine(lines, begin);
  return [...lines.slice(0, begin), ...lines.slice(last + 1)].join('\n');
}

function lastOwnLine(lines: readonly string[], begin: number): number {
  let last = begin;
  while (/^[0-9a-f.:]+ \S+$/.test(lines[last + 1] ?? '')) last += 1;
  return last;
}
