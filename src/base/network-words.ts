/** Failures of connections in the words of Go's net package, which messages of Kubernetes carry. */

export function inWords(error: unknown, host: string, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `dial tcp ${address}: i/o timeout`;
    case 'ECONNRESET':
      // Node says so as well when the other side closed without an answer, which is the end of file.
      return message === 'socket hang up' ? 'EOF' : `read tcp ${address}: read: connection reset by peer`;
    default:
      return message;
  }
}
