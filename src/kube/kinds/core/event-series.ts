/** Parts of core events. */
import { embedded, int32, microTime, object, string } from '#kube/schema.ts';

export const eventSourceSchema = object(
  {
    component: string('Program that reported it.'),
    host: string('Node on which the program runs.'),
  },
  { name: 'io.k8s.api.core.v1.EventSource', doc: 'Who reported an event.' },
);

export const eventSeriesSchema = object(
  {
    count: int32('How often it was seen.'),
    lastObservedTime: embedded(microTime('When it was last seen.')),
  },
  { name: 'io.k8s.api.core.v1.EventSeries', doc: 'Repetition of an event.' },
);
