/** Which protocol the containers of a Revision speak, and on which port. Pure. */
import type { Container } from '#knative/kinds/revision-spec.ts';
import type { Revision } from '#knative/kinds/revision.ts';

export type Protocol = 'http1' | 'h2c';

/** Where a container listens that names no port. */
const DEFAULT_USER_PORT = 8080;

/** Port of the public Service that a protocol is served on: the activator's, which listens for each on its own. */
export const PUBLIC_PORTS: Readonly<Record<Protocol, number>> = { http1: 80, h2c: 81 };

/** The container that gets the requests: the only one, or the one with a port. */
export function servingContainer({ spec }: Revision): Container | undefined {
  const { containers } = spec;
  return containers.length === 1 ? containers[0] : containers.find(({ ports = [] }) => ports.length > 0);
}

export function protocolOf(revision: Revision): Protocol {
  return servingContainer(revision)?.ports?.[0]?.name === 'h2c' ? 'h2c' : 'http1';
}

export function userPortOf(revision: Revision): number {
  return servingContainer(revision)?.ports?.[0]?.containerPort || DEFAULT_USER_PORT;
}
