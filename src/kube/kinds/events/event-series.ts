/** Repetition of events in events.k8s.io. */
import { int32, microTime, object, required } from '#kube/schema.ts';

export const eventSeriesSchema = object(
  {
    count: required(int32('How often it was seen.')),
    lastObservedTime: required(microTime('When it was last seen.')),
  },
  { name: 'io.k8s.api.events.v1.EventSeries', doc: 'Repetition of an event.' },
);
