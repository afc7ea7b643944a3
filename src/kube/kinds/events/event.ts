import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { eventSourceSchema } from '#kube/kinds/core/event-series.ts';
import { objectReferenceSchema } from '#kube/kinds/core/references.ts';
import { eventSeriesSchema } from '#kube/kinds/events/event-series.ts';
import { documented, embedded, int32, microTime, required, string, time } from '#kube/schema.ts';

export const EventV1 = defineKind({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  doc: 'Something that happened to an object, as events.k8s.io words it; the same objects as the core group has.',
  properties: {
    eventTime: required(microTime('When it was first seen.')),
    series: documented(eventSeriesSchema, 'Its repetition, if it is repeated.'),
    reportingController: string('Controller that reported it.'),
    reportingInstance: string('Instance of the controller.'),
    action: string('What the reporter did, or failed to do.'),
    reason: string('What happened, one CamelCase word.'),
    regarding: embedded(documented(objectReferenceSchema, 'The object it happened to.')),
    related: documented(objectReferenceSchema, 'Another object that has to do with it.'),
    note: string('What happened, in a sentence.'),
    type: string('Normal or Warning.'),
    deprecatedSource: embedded(documented(eventSourceSchema, 'The source of a core event.')),
    deprecatedFirstTimestamp: embedded(time('The first time of a core event.')),
    deprecatedLastTimestamp: embedded(time('The last time of a core event.')),
    deprecatedCount: int32('The count of a core event.'),
  },
  hasStatus: false,
});
export type EventV1 = ObjectOf<typeof EventV1>;
