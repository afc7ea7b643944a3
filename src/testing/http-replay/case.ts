/**
 * The format of recorded cases. A step is a request; or the beginning of a watch (`watch` names it); or what a watch
 * has said since (`collect`); or a pause. `{{name}}` in texts stands for the namespace or something captured earlier.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly text?: string;
  /** See `protobuf.ts`. */
  readonly protobuf?: unknown;
  readonly events?: readonly unknown[];
  readonly closed?: boolean;
  /** What `until` waited for did not come. */
  readonly untilNotReached?: true;
}

export interface Step {
  readonly method?: string;
  readonly path: string;
  /** Null takes a header away that is sent otherwise. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
  readonly bodyText?: string;
  readonly bodyBase64?: string;
  readonly gzip?: boolean;
  /** `none`: without credentials. */
  readonly auth?: 'none';
  /** Variable → pointer into the answer. */
  readonly capture?: Readonly<Record<string, string>>;
  /** Asked again until these parts of the answer (or its `status`) have these values; null for absent, `*` for any. */
  readonly until?: Readonly<Record<string, unknown>>;
  readonly untilMs?: number;

  /** Only these parts of the answer count. */
  readonly pick?: readonly string[];
  /** Only the names of the members count. */
  readonly keys?: boolean;
  readonly noBody?: boolean;
  /** The text counts, not the JSON in it. */
  readonly raw?: boolean;
  /** Only lines that match count. */
  readonly grep?: string;
  readonly sortCauses?: boolean;

  readonly watch?: string;
  readonly collect?: string;
  readonly count?: number;
  readonly timeoutMs?: number;
  readonly sleepMs?: number;

  readonly ignore?: readonly string[];
  readonly expect?: Answer;
}

export interface HttpCase {
  readonly name: string;
  readonly family: string;
  readonly why: string;
  readonly steps: readonly Step[];
  readonly managedFields?: boolean;
  readonly ignore?: readonly string[];
  /** Paths to delete at the end. */
  readonly cleanup?: readonly string[];
}

const ROOT = new URL('../../../test/oracle/kube/', import.meta.url);

export function httpCases(): HttpCase[] {
  const files = readdirSync(ROOT).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => JSON.parse(readFileSync(new URL(file, ROOT), 'utf8')) as HttpCase);
}
