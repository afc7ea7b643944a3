/** Clients that are on this machine or not: `npm run test:clients` installs all of them, `npm test` runs what is there. */
import path from 'node:path';
import { needs, type Requirement, type TestOptions } from '#testing/requirements.ts';
import { GO_CLIENTS, type GoClientId, isBuilt, programOf } from '../../scripts/clients/catalogue.ts';

/** For `config-network`: URLs without ports, as those of a platform on 80 and 443. */
export const PLAIN_URLS = { 'external-http-port': null, 'external-https-port': null };

const CURE = 'npm run test:clients installs it';

/** As `needs`, and a client. Alone the client is named where both are missing. */
export function needsClient(id: GoClientId, ...requirements: readonly Requirement[]): TestOptions {
  const client = GO_CLIENTS[id];
  return isBuilt(client) ? needs(...requirements) : { skip: `${client.name} is not on this machine; ${CURE}` };
}

/** `PATH` with the client before anything else. */
export function pathWith(id: GoClientId): string {
  return [path.dirname(programOf(GO_CLIENTS[id])), process.env['PATH'] ?? ''].join(path.delimiter);
}
