/**
 * What checking one value against one schema said: errors, and how many checks were made. Of several alternatives
 * (anyOf, oneOf) that all fail, Kubernetes reports the one in which most checks were made.
 */
import type { FieldError } from '#kube/field-error.ts';
import { child } from '#kube/field-error.ts';

export interface Finding extends FieldError {
  /** What makes two findings the same: reported once. */
  readonly text: string;
}

export class SchemaResult {
  readonly #findings = new Map<string, Finding>();
  checks = 0;

  get isValid(): boolean {
    return this.#findings.size === 0;
  }

  get findings(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  add(finding: Finding): void {
    if (!this.#findings.has(finding.text)) this.#findings.set(finding.text, finding);
  }

  merge(other: SchemaResult): void {
    for (const finding of other.#findings.values()) this.add(finding);
    this.checks += other.checks;
  }

  /** Findings in what has not changed are no errors. */
  forgive(): void {
    this.#findings.clear();
  }
}

/** A finding with the usual `Invalid value`; `value` is rendered by the caller. */
export function invalidFinding(path: string, value: string, text: string): Finding {
  return { field: path, reason: 'FieldValueInvalid', message: `Invalid value: ${value}: ${text}`, text };
}

export function typeFinding(path: string, expected: string, actual: string): Finding {
  const text = `${path} in body must be of type ${expected}: ${JSON.stringify(actual)}`;
  const message = `Invalid value: ${JSON.stringify(actual)}: ${text}`;
  return { field: path, reason: 'FieldValueTypeInvalid', message, text };
}

export function requiredFinding(path: string, name: string): Finding {
  const field = child(path, name);
  return {
    field,
    reason: 'FieldValueRequired',
    message: 'Required value',
    text: `${path}.${name} in body is required`,
  };
}
