/** The bodies of patches: JSON, or YAML for server-side apply; each kind has words of its own for what is wrong. */
import { isWithinDepth } from '#base/json.ts';
import { badRequest } from '#kube/status.ts';
import type { PatchType } from '#client/transport.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';
import { parseYaml } from '#apiserver/http/yaml.ts';

/** Deepest nesting that is accepted. */
const MAX_DEPTH = 500;

export function parsePatch(bytes: Buffer, type: PatchType): unknown {
  const patch = type === 'apply' ? parseApply(bytes) : parseJson(bytes, type);
  if (!isWithinDepth(patch, MAX_DEPTH)) throw badRequest(`the patch is nested more than ${MAX_DEPTH} levels deep`);
  return patch;
}

function parseJson(bytes: Buffer, type: PatchType): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    const why = jsonSyntaxError(bytes.toString('latin1'));
    throw badRequest(type === 'strategic' ? why : `error decoding patch: ${why}`);
  }
}

function parseApply(bytes: Buffer): unknown {
  const parsed = parseYaml(bytes.toString('utf8'));
  if (!(parsed instanceof Error)) return parsed.value;
  throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${parsed.message}`);
}
