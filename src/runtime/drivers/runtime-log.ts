/** The JSON log of an OCI runtime's command line. Pure. */

/** The last error in it; a line that is no JSON counts as one. */
export function lastErrorIn(log: string): string | undefined {
  const lines = log.trim().split('\n').reverse();
  for (const line of lines.filter((one) => one !== '')) {
    try {
      const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
      if (level === 'error' && msg) return msg;
    } catch {
      return line;
    }
  }
  return undefined;
}
