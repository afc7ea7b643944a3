/** Whether a Revision that has the name which a template asks for may be taken for that template's. Pure. */
import { deepEqual } from '#base/json.ts';
import { labelsOf } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import type { RevisionTemplate } from '#knative/kinds/revision-spec.ts';
import { CONFIGURATION_GENERATION_LABEL } from '#knative/labels.ts';

interface Claim {
  readonly template: RevisionTemplate;
  readonly configuration: Configuration | undefined;
  readonly revision: Revision | undefined;
}

/**
 * True when the name is somebody else's: another owner's, or an earlier generation's with another spec. Labels and
 * annotations of the Revision don't count, since users may add their own.
 */
export function isNameConflict({ template, configuration, revision }: Claim): boolean {
  if (!template.metadata?.name || !revision) return false;
  if (!configuration || !isControlledBy(revision, configuration)) return true;
  if (labelsOf(revision)[CONFIGURATION_GENERATION_LABEL] === String(configuration.metadata.generation)) return false;
  return !deepEqual(template.spec, revision.spec);
}
