/** Reads `/proc/net/tcp` and `tcp6`: how many connections are open to a local port. */
const OPEN = new Set(['01', '02', '03', '04', '05', '08', '09', '0B']);

/**
 * Connections whose local port is `port`, in any state in which the local side may still be at work on them (not
 * listening, not waiting for the last packets).
 */
export function countConnections(table: string, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let count = 0;
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (local?.endsWith(suffix) && state !== undefined && OPEN.has(state)) count += 1;
  }
  return count;
}
