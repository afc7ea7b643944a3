/** What a gateway says, for tests. */
import type { Activate, Report, RevisionReport } from '#protocol/link.ts';
import { refOfKey } from '#kube/object.ts';

export interface Traffic {
  readonly key: string;
  readonly concurrency: number;
  readonly requests?: number;
  readonly queued?: number;
}

export function report(at: number, revisions: readonly Traffic[], periodMs = 1_000): Report {
  return { type: 'report', at, periodMs, revisions: revisions.map(revisionReport) };
}

function revisionReport({ key, concurrency, requests = 0, queued = 0 }: Traffic): RevisionReport {
  const { namespace = '', name } = refOfKey(key);
  return { namespace, name, concurrency, requests, queued, active: Math.max(0, Math.round(concurrency) - queued) };
}

export function activate(key: string, at: number, queued = 1): Activate {
  const { namespace = '', name } = refOfKey(key);
  return { type: 'activate', namespace, name, at, queued };
}
