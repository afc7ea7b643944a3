/** Limits that all patches share. */
import { isWithinDepth } from '#base/json.ts';
import { badRequest } from '#kube/status.ts';

/** Levels of nesting in a patch or a document; the deepest kind has about thirty. */
const MAX_DEPTH = 500;

/** Every engine here recurses as deep as its input, so the input is measured first. */
export function checkDepth(...values: readonly unknown[]): void {
  if (values.every((value) => isWithinDepth(value, MAX_DEPTH))) return;
  throw badRequest('error decoding patch: exceeded max depth');
}
