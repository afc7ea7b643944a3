/** The table of Events, the same for both groups that show them. */
import { Event } from '#kube/kinds/core/event.ts';
import { agoOf, column, tableFor, wide } from '#apiserver/table/columns.ts';

export const eventTable = tableFor(Event, {
  columns: [
    column('Last Seen', 'When it was seen last.'),
    column('Type', 'Normal or Warning.'),
    column('Reason', 'Why it was reported, in one word.'),
    column('Object', 'What it is about.'),
    wide('Subobject', 'Which part of that.'),
    wide('Source', 'Who reported it.'),
    column('Message', 'What happened.'),
    wide('First Seen', 'When it was seen first.'),
    wide('Count', 'How often it was seen.'),
    wide('Name', 'Name of the event itself.', { format: 'name' }),
  ],
  row(event, now) {
    const { involvedObject, series } = event;
    const first = event.firstTimestamp ?? event.eventTime;
    const last = series?.lastObservedTime ?? event.lastTimestamp ?? first;
    const kind = (involvedObject.kind ?? '').toLowerCase();
    return {
      cells: [
        agoOf(last, now),
        event.type ?? '',
        event.reason ?? '',
        involvedObject.name ? `${kind}/${involvedObject.name}` : kind,
        involvedObject.fieldPath ?? '',
        sourceText(event),
        (event.message ?? '').trim(),
        agoOf(first, now),
        series?.count ?? (event.count || 1),
        event.metadata.name ?? '',
      ],
    };
  },
});

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || (reportingComponent ?? '');
  const host = source?.host || (reportingInstance ?? '');
  return host === '' ? component : `${component}, ${host}`;
}
