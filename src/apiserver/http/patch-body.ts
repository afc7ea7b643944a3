/** The bodies of patches: JSON, or YAML for server-side apply; each kind has words of its own for what is wrong. */
import { parseDocument } from 'yaml';
import { isWithinDepth } from '#base/json.ts';
import { badRequest } from '#kube/status.ts';
import type { PatchType } from '#client/transport.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';

/** Deepest nesting that is accepted. */
const MAX_DEPTH = 500;

const MAX_ALIASES = 100;

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
  const document = parseDocument(bytes.toString('utf8'), { version: '1.1', uniqueKeys: false });
  const [error] = document.errors;
  if (error) throw badRequest(`error decoding YAML: ${error.message.split('\n')[0] ?? ''}`);
  return (document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown) ?? {};
}
