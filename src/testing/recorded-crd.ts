/** What a real kube-apiserver was sent and answered about custom kinds, for tests of pure rules (`test/oracle/kube`). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { StatusCause } from '#kube/status.ts';

const RECORDINGS = path.join(import.meta.dirname, '../../test/oracle/kube');

export interface RecordedWrite {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Undefined for bodies that are no JSON objects. */
  readonly body: Record<string, unknown> | undefined;
  readonly answer: Record<string, unknown> | undefined;
  readonly causes: readonly StatusCause[];
  readonly warning: string | undefined;
}

interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly expect: {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: { readonly details?: { readonly causes?: readonly StatusCause[] } };
  };
}

/** The steps of one case, with a namespace filled in. */
export function recordedWrites(name: string): RecordedWrite[] {
  const text = readFileSync(path.join(RECORDINGS, `${name}.json`), 'utf8').replaceAll('{{ns}}', 'ns');
  const { steps } = JSON.parse(text) as { steps: readonly Step[] };
  return steps.map(({ method, path, body, expect }) => ({
    method,
    path,
    status: expect.status,
    body: typeof body === 'object' && !Array.isArray(body) ? (body as Record<string, unknown>) : undefined,
    answer: expect.body as Record<string, unknown> | undefined,
    causes: expect.body?.details?.causes ?? [],
    warning: expect.headers?.['warning'],
  }));
}
