/** Bounds and multiples of numbers, in the words of Kubernetes' OpenAPI validation. */
import { goNumber } from '#kube/go-number.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';
import { type Finding, invalidFinding } from '#kube/structural/schema-result.ts';

/** In Kubernetes' order: multiples, the lower bound, the upper bound. */
export function checkNumber(schema: JsonSchema, value: number, path: string): Finding[] {
  const factor = bound(schema.multipleOf ?? 1, value);
  const shown = goNumber(value);
  if (factor <= 0) {
    const text = `factor MultipleOf declared for ${path} must be positive: ${goNumber(factor)}`;
    return [invalidFinding(path, goNumber(factor), text), ...boundFindings(schema, value, path)];
  }
  const isMultiple = Number.isInteger(value) ? value % factor === 0 : isWholeRatio(value, factor);
  const text = `${path} in body should be a multiple of ${goNumber(factor)}`;
  const wrong = schema.multipleOf !== undefined && !isMultiple ? [invalidFinding(path, shown, text)] : [];
  return [...wrong, ...boundFindings(schema, value, path)];
}

function boundFindings(schema: JsonSchema, value: number, path: string): Finding[] {
  const said = [minimumText(schema, value, path), maximumText(schema, value, path)];
  return said.filter((text) => text !== undefined).map((text) => invalidFinding(path, goNumber(value), text));
}

/** Bounds of whole numbers are compared as whole numbers: 3 is not above 3.5. */
function bound(limit: number, value: number): number {
  return Number.isInteger(value) ? Math.trunc(limit) : limit;
}

function isWholeRatio(value: number, factor: number): boolean {
  const ratio = factor < 1 ? (1 / factor) * value : value / factor;
  const distance = Math.abs(ratio - Math.round(ratio));
  return distance < Number.EPSILON * Math.max(1, Math.abs(ratio));
}

function minimumText(schema: JsonSchema, value: number, path: string): string | undefined {
  if (schema.minimum === undefined) return undefined;
  const limit = bound(schema.minimum, value);
  const isBelow = schema.exclusiveMinimum ? value <= limit : value < limit;
  const words = schema.exclusiveMinimum ? 'greater than' : 'greater than or equal to';
  return isBelow ? `${path} in body should be ${words} ${goNumber(limit)}` : undefined;
}

function maximumText(schema: JsonSchema, value: number, path: string): string | undefined {
  if (schema.maximum === undefined) return undefined;
  const limit = bound(schema.maximum, value);
  const isAbove = schema.exclusiveMaximum ? value >= limit : value > limit;
  const words = schema.exclusiveMaximum ? 'less than' : 'less than or equal to';
  return isAbove ? `${path} in body should be ${words} ${goNumber(limit)}` : undefined;
}
