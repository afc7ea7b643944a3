/** The format of recorded commands. `{{ns}}` is the namespace of the case, `{{dir}}` in `env` its folder. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlStep {
  readonly argv: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run again until it ends so; `stdout` is a pattern. */
  readonly until?: { readonly stdout?: string; readonly code?: number };
  readonly untilMs?: number;
  readonly killAfterMs?: number;
  /** Prepares only: what it prints does not count. */
  readonly quiet?: boolean;
  /** Only lines that match count. */
  readonly grep?: string;
  readonly sortLines?: boolean;
  readonly ignore?: readonly (keyof Printed)[];
  readonly expect?: Printed;
}

export interface KubectlCase {
  readonly name: string;
  readonly family: string;
  readonly why: string;
  readonly files?: Readonly<Record<string, unknown>>;
  readonly steps: readonly KubectlStep[];
  readonly cleanup?: readonly string[];
}

const ROOT = new URL('../../../test/oracle/kubectl/', import.meta.url);

export function kubectlCases(): KubectlCase[] {
  const files = readdirSync(ROOT).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => JSON.parse(readFileSync(new URL(file, ROOT), 'utf8')) as KubectlCase);
}
