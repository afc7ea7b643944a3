/** events.k8s.io shows the same Events as the core group, under other member names. */
import { Event } from '#kube/kinds/core/event.ts';
import { EventV1 } from '#kube/kinds/events/event.ts';
import type { KubeObject } from '#kube/object.ts';
import type { KindView } from '#apiserver/registry.ts';

export const eventView: KindView = {
  kind: EventV1,
  storedAs: Event,
  fromStored(object: KubeObject): KubeObject {
    const { apiVersion: _, kind: __, metadata, ...event } = object as Event;
    return withoutAbsent({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata,
      eventTime: event.eventTime ?? null,
      series: event.series,
      reportingController: event.reportingComponent || undefined,
      reportingInstance: event.reportingInstance || undefined,
      action: event.action,
      reason: event.reason,
      regarding: event.involvedObject,
      related: event.related,
      note: event.message,
      type: event.type,
      deprecatedSource: event.source ?? {},
      deprecatedFirstTimestamp: event.firstTimestamp ?? null,
      deprecatedLastTimestamp: event.lastTimestamp ?? null,
      deprecatedCount: event.count,
    });
  },
  toStored(object: KubeObject): KubeObject {
    const { metadata, ...event } = object as EventV1;
    return withoutAbsent({
      apiVersion: 'v1',
      kind: 'Event',
      metadata,
      involvedObject: event.regarding ?? {},
      reason: event.reason,
      message: event.note,
      source: event.deprecatedSource ?? {},
      firstTimestamp: event.deprecatedFirstTimestamp ?? null,
      lastTimestamp: event.deprecatedLastTimestamp ?? null,
      count: event.deprecatedCount,
      type: event.type,
      eventTime: event.eventTime ?? null,
      series: event.series,
      action: event.action,
      related: event.related,
      reportingComponent: event.reportingController ?? '',
      reportingInstance: event.reportingInstance ?? '',
    });
  },
};

function withoutAbsent(members: Record<string, unknown>): KubeObject {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as unknown as KubeObject;
}
