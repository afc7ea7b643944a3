/** Numbers of replicas where the scale subresource looks for them, in Kubernetes' words. */
import { getMember, isObject } from '#base/json.ts';
import { type FieldError, invalidField } from '#kube/field-error.ts';
import { goType, goValue } from '#kube/go-text.ts';
import type { ScaleSubresource } from '#kube/kind.ts';

const MAX_INT32 = 2 ** 31 - 1;

export function scaleSpecErrors(object: unknown, scale: ScaleSubresource): FieldError[] {
  return replicasErrors(object, scale.specReplicasPath);
}

export function scaleStatusErrors(object: unknown, scale: ScaleSubresource): FieldError[] {
  const ofReplicas = replicasErrors(object, scale.statusReplicasPath);
  const { labelSelectorPath } = scale;
  if (labelSelectorPath === undefined) return ofReplicas;
  const selector = valueAt(object, labelSelectorPath, 'string');
  return isMismatch(selector) ? [...ofReplicas, invalidField(labelSelectorPath, '', selector.problem)] : ofReplicas;
}

function replicasErrors(object: unknown, path: string): FieldError[] {
  const found = valueAt(object, path, 'int64');
  if (isMismatch(found)) return [invalidField(path, 0, found.problem)];
  if (typeof found !== 'number') return [];
  if (found < 0) return [invalidField(path, found, 'should be a non-negative integer')];
  return found > MAX_INT32 ? [invalidField(path, found, `should be less than or equal to ${MAX_INT32}`)] : [];
}

function isMismatch(found: unknown): found is { problem: string } {
  return isObject(found);
}

/** The value at `.a.b`, undefined when it is not there, or why it is of no use. */
function valueAt(object: unknown, path: string, type: 'int64' | 'string'): unknown {
  let value = object;
  let place = '';
  for (const name of path.replace(/^\./, '').split('.')) {
    if (value === undefined || value === null) return undefined;
    place = `${place}.${name}`;
    if (!isObject(value)) return mismatch(place, value, 'map[string]interface{}');
    value = getMember(value, name);
  }
  return value === undefined || goType(value) === type ? value : mismatch(place, value, type);
}

function mismatch(place: string, value: unknown, expected: string): { problem: string } {
  const actual = value === null ? '<nil>' : goType(value);
  return { problem: `${place} accessor error: ${goValue(value)} is of the type ${actual}, expected ${expected}` };
}
