/** Clients that are on this machine or not: `npm run test:clients` installs all of them, `npm test` runs what is there. */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { Output } from '#testing/platform.ts';
import { needs, type Requirement, type TestOptions } from '#testing/requirements.ts';
import { type Client, type GoClient, isThere, programOf } from '../../scripts/clients/catalogue.ts';

/** For `config-network`: URLs without ports, as those of a platform on 80 and 443. */
export const PLAIN_URLS = { 'external-http-port': null, 'external-https-port': null };

/** As `needs`, and a client. Alone the client is named where both are missing. */
export function needsClient(client: Client, ...requirements: readonly Requirement[]): TestOptions {
  if (isThere(client)) return needs(...requirements);
  return { skip: `${client.name} is not on this machine; npm run test:clients installs it` };
}

/** `PATH` with the client before anything else. */
export function pathWith(client: GoClient): string {
  return [path.dirname(programOf(client)), process.env['PATH'] ?? ''].join(path.delimiter);
}

/** Of a program that prints `ok NAME` or `failed NAME: why` for each of its checks. */
export function judgeCheck(check: string, { stdout, stderr }: Output): void {
  const line = stdout.split('\n').find((one) => one === `ok ${check}` || one.startsWith(`failed ${check}:`));
  assert.equal(line ?? stderr, `ok ${check}`);
}
