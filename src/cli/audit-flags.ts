/** The flags of the audit log: where it goes, and what it holds. A policy is read and checked here, before anything starts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AuditPolicy } from '#kube/audit/policy.ts';
import { parseAuditPolicy } from '#kube/audit/parse-policy.ts';
import { CliError } from '#cli/context.ts';

const STANDARD_OUTPUT = '-';

/** As settings keep it: a whole path, `-`, or nothing, which turns it off. */
export function auditFile(given: string | undefined): string | undefined {
  if (given === undefined || given === '' || given === STANDARD_OUTPUT) return given;
  return path.resolve(given);
}

/** The policy in a file, YAML or JSON. */
export async function readAuditPolicy(file: string): Promise<AuditPolicy> {
  const policy = parseAuditPolicy(await readDocument(file));
  if (policy instanceof Error) throw unusable(file, policy);
  return policy;
}

async function readDocument(file: string): Promise<unknown> {
  try {
    // Only who has a policy pays for the parser.
    const { parse } = await import('yaml');
    return parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): CliError {
  const why = error instanceof Error ? error.message : String(error);
  return new CliError(`the audit policy ${file} cannot be used: ${why}`, {
    cure: 'see https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy',
    cause: error,
  });
}
