/** A second version, beside the first and then sharing its traffic. */
import { DemoError } from '../errors.ts';
import { curl, SERVICE, type Tour, urlOf } from '../tour.ts';
import { untilReady } from './deployment.ts';

const STAGING = 'staging';
const REQUESTS = 300;
/** As split.yaml has it. */
const WANTED = { 'greeter-00001': 0.8, 'greeter-00002': 0.2 };
const TOLERANCE = 0.02;

export async function stageSecond(tour: Tour): Promise<string> {
  await tour.cluster.do({ verb: 'apply', file: 'samples/greeter/staging.yaml' }, tour.signal);
  await untilReady(tour);
  const first = await curl(tour, await urlOf(tour));
  const second = await curl(tour, await urlOf(tour, STAGING));
  if (revisionOf(first.body) === revisionOf(second.body)) throw new DemoError('both URLs gave the same revision');
  await tour.cluster.do({ verb: 'get', kind: 'revisions' }, tour.signal);
  return 'the new revision answers at its own address; everybody else gets the first';
}

export async function split(tour: Tour): Promise<string> {
  const { cluster, requests, screen, signal } = tour;
  await cluster.do({ verb: 'patch', kind: 'ksvc', name: SERVICE, file: 'samples/greeter/split.yaml' }, signal);
  await untilReady(tour);
  await curl(tour, await urlOf(tour, STAGING));
  const url = await urlOf(tour);
  const one = await requests.command(url, '-s', signal);
  screen.command(`for i in $(seq ${REQUESTS}); do ${one}; done | sort | uniq -c`);
  const tally = [...(await requests.tally(url, REQUESTS, signal))].sort(([left], [right]) => (left < right ? -1 : 1));
  screen.output(tally.map(([body, count]) => `${String(count).padStart(7)} ${body.trim()}`).join('\n'));
  const shareOf = (revision: string) =>
    tally.reduce((sum, [body, count]) => sum + (revisionOf(body) === revision ? count : 0), 0) / REQUESTS;
  for (const [revision, wanted] of Object.entries(WANTED)) {
    if (Math.abs(shareOf(revision) - wanted) > TOLERANCE)
      throw new DemoError(`${percent(shareOf(revision))} of the requests reached ${revision}, not ${percent(wanted)}`);
  }
  const shares = Object.keys(WANTED).map((revision) => percent(shareOf(revision)));
  return `${shares.join(' and ')} of ${REQUESTS} requests, as the manifest says`;
}

function revisionOf(body: string): string | undefined {
  return /greeter-\d+/.exec(body)?.[0];
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
