/** The Service and the platform go, and nothing stays. */
import { findLeftovers, LEFTOVER_KINDS } from '#cli/leftovers.ts';
import { DemoError } from '../errors.ts';
import { type Stage, shown, type Tour } from '../tour.ts';
import { podNames } from '../watch.ts';

const PODS_LIMIT_MS = 30_000;
const POLL_MS = 50;

export async function removeService(tour: Tour): Promise<string> {
  const { cluster, clock, screen, signal } = tour;
  await cluster.do({ verb: 'delete', file: 'samples/greeter/service.yaml' }, signal);
  const deletedAt = clock.monotonicMs();
  while ((await podNames(tour)).length > 0) {
    if (clock.monotonicMs() - deletedAt > PODS_LIMIT_MS) throw new DemoError('its pods do not end');
    screen.progress('its containers are told to end');
    await clock.sleep(POLL_MS, signal);
  }
  await cluster.do({ verb: 'get', kind: 'revisions' }, signal);
  await cluster.do({ verb: 'get', kind: 'pods' }, signal);
  return 'its revisions, routes and containers went with it';
}

export async function removePlatform(stage: Stage): Promise<string> {
  await shown(stage, './bin/pinnace down --purge');
  demandNothingLeft(stage.stateDir);
  stage.screen.note(`Looked for what may be left of it (${LEFTOVER_KINDS.join(', ')}): none.`);
  return 'nothing of it is left on this machine';
}

function demandNothingLeft(stateDir: string): void {
  const left = findLeftovers(stateDir).map(({ kind, name }) => `${kind}: ${name}`);
  if (left.length > 0) throw new DemoError(`left behind on this machine: ${left.join(', ')}`);
}
