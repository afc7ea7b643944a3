import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { eventSeriesSchema, eventSourceSchema } from '#kube/kinds/core/event-series.ts';
import { objectReferenceSchema } from '#kube/kinds/core/references.ts';
import { documented, embedded, int32, microTime, required, string, time } from '#kube/schema.ts';

export const Event = defineKind({
  apiVersion: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  doc: 'Something that happened to an object, as the core group words it.',
  properties: {
    involvedObject: required(documented(objectReferenceSchema, 'The object it happened to.')),
    reason: string('What happened, one CamelCase word.'),
    message: string('What happened, in a sentence.'),
    source: embedded(documented(eventSourceSchema, 'Who reported it.')),
    firstTimestamp: embedded(time('When it was first seen.')),
    lastTimestamp: embedded(time('When it was last seen.')),
    count: int32('How often it was seen.'),
    type: string('Normal or Warning.'),
    eventTime: embedded(microTime('When it was first seen, to the microsecond.')),
    series: documented(eventSeriesSchema, 'Its repetition, if it is repeated.'),
    action: string('What the reporter did, or failed to do.'),
    related: documented(objectReferenceSchema, 'Another object that has to do with it.'),
    reportingComponent: embedded(string('Controller that reported it.')),
    reportingInstance: embedded(string('Instance of the controller.')),
  },
  hasStatus: false,
});
export type Event = ObjectOf<typeof Event>;
