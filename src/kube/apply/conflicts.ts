/** The 409 that an apply ends in when it would change what others own. */
import { formatPath, type Path } from '#kube/apply/path-element.ts';
import { pathsOf } from '#kube/apply/field-set.ts';
import type { Manager } from '#kube/apply/managers.ts';
import type { Conflict } from '#kube/apply/ownership.ts';
import { failure, StatusError } from '#kube/status.ts';

export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const listed = conflicts.map(({ manager, fields }) => ({
    who: describe(manager),
    paths: [...pathsOf(fields)].map((path: Path) => formatPath(path)),
  }));
  const causes = listed.flatMap(({ who, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field })),
  );
  const [only] = causes;
  const message =
    causes.length === 1 && only
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${listed.map(describeAll).join('\n')}`;
  return new StatusError(failure({ code: 409, reason: 'Conflict', message, details: { causes } }));
}

function describeAll({ who, paths }: { who: string; paths: readonly string[] }): string {
  return [`conflicts with ${who}:`, ...paths.map((path) => `- ${path}`)].join('\n');
}

function describe({ name, operation, apiVersion, subresource }: Manager): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const using = operation === 'Update' ? ` using ${apiVersion}` : '';
  return `${JSON.stringify(name)}${through}${using}`;
}
