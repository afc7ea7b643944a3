/** YAML inside a ConfigMap's text, read as what JSON could say, with errors in the words of Knative's reader. */
import { parse } from 'yaml';
import { isObject } from '#base/json.ts';
import { ConfigError } from '#knative/config/read.ts';

/** Null for an empty text. */
export function readYaml(text: string): unknown {
  const value = parseOrThrow(text) ?? null;
  // `: x` has no key, which Go's parser does not let pass.
  if (isObject(value) && Object.hasOwn(value, '')) throw unreadable('did not find expected key');
  return value;
}

function parseOrThrow(text: string): unknown {
  try {
    return parse(text, { schema: 'core' });
  } catch (error) {
    throw unreadable(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), error);
  }
}

function unreadable(why: string, cause?: unknown): ConfigError {
  return new ConfigError(`error converting YAML to JSON: yaml: ${why}`, { cause });
}

/** The members of a mapping; none for null. `goType` names in the error what was wanted. */
export function asMapping(value: unknown, goType: string): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (isObject(value)) return value;
  throw wrongType(value, `Go value of type ${goType}`);
}

/** A mapping from text to text; undefined for null. `where` names in the error what was wanted. */
export function asTexts(value: unknown, where: string): Record<string, string> | undefined {
  if (value === null || value === undefined) return undefined;
  if (!isObject(value)) throw wrongType(value, `Go struct field ${where} of type map[string]string`);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, asText(entry, where)]));
}

export function asText(value: unknown, where: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  throw wrongType(value, `Go struct field ${where} of type string`);
}

function wrongType(value: unknown, wanted: string): ConfigError {
  const kind = Array.isArray(value) ? 'array' : jsonName(value);
  return new ConfigError(`error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into ${wanted}`);
}

function jsonName(value: unknown): string {
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
