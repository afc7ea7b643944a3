/**
 * A reporter for Node's test runner, beside the one that people read: what the summary needs of each event, as a line
 * of JSON (`results.ts` reads them). Node asks for a default export.
 */
import type { TestEvent } from 'node:test/reporters';
import type { RecordedEvent } from './results.ts';

export default async function* record(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const kept = keep(event);
    if (kept) yield `${JSON.stringify(kept)}\n`;
  }
}

function keep(event: TestEvent): RecordedEvent | undefined {
  if (event.type === 'test:summary') {
    // Those with a file are of that file only.
    return event.data.file === undefined ? { kind: 'summary', counts: event.data.counts } : undefined;
  }
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { name, file = '', skip, details } = event.data;
  if (event.type === 'test:fail') return { kind: 'failed', name, file };
  if (details.type === 'suite') return undefined;
  if (skip !== undefined && skip !== false)
    return { kind: 'leftOut', reason: skip === true ? 'no reason given' : skip };
  return 'expectFailure' in event.data ? { kind: 'knownDifference' } : undefined;
}
