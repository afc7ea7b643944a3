/** One share of a Route's traffic: what the user writes, and what the status reports. */
import { boolean, type Infer, int64, list, object, string } from '#kube/schema.ts';

const trafficTarget = object({
  tag: string('A name under which this target is reachable on its own, whatever its share.'),
  revisionName: string('The Revision that gets the share.'),
  configurationName: string('The Configuration whose latest ready Revision gets it; not in a Service.'),
  latestRevision: boolean('True for the latest ready Revision, now and later.'),
  percent: int64('The share, 0 to 100; all shares make 100.'),
  url: string('Where the tag is reachable; in the status only.'),
});
export type TrafficTarget = Infer<typeof trafficTarget>;

export const trafficSchema = list(trafficTarget, 'How requests are shared out.');
