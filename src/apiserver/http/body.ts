/**
 * Bodies of requests: read up to a limit, after the sender is known, and parsed as JSON, YAML or protobuf with Kubernetes'
 * words for what is wrong. Keys that stand twice in one object are found here, since no parsed value shows them.
 */
import type { IncomingMessage } from 'node:http';
import { isObject, isWithinDepth } from '#base/json.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import { goJsonType } from '#kube/go-text.ts';
import { badRequest, requestTooLarge, type StatusError } from '#kube/status.ts';
import { hasDuplicateKeys, parseDuplicates } from '#apiserver/http/duplicate-keys.ts';
import { parseYaml } from '#apiserver/http/yaml.ts';
import type { SentBody } from '#apiserver/decode.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';
import { decodeProtobuf } from '#apiserver/protobuf/decode.ts';
import { WireError } from '#apiserver/protobuf/wire.ts';

/** Longest body, as in Kubernetes. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** How much more is read and dropped, so that the sender hears the answer before the connection closes. */
const MAX_DRAINED_BYTES = 32 * 1024 * 1024;

/** Deepest nesting that is accepted. */
const MAX_DEPTH = 500;

/** How much of a body that cannot be read is shown in the error. */
const MAX_SHOWN_BYTES = 30;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    if (size > MAX_DRAINED_BYTES) break;
  }
  if (size > MAX_BODY_BYTES) throw requestTooLarge(`limit is ${MAX_BODY_BYTES}`);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** What an object in a body should be. */
export type ExpectedKind = Pick<Kind, 'group' | 'version' | 'kind' | 'isCustom'>;

export type BodyType = 'json' | 'yaml' | 'protobuf';

/** The content of an object's body; the kind's name is for the words of the refusal. */
export function parseObjectBody(bytes: Buffer, type: BodyType, kind: ExpectedKind): SentBody {
  const unrecognized = (why: string) =>
    badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${shown(bytes)})`);
  if (type === 'protobuf') return { value: protobufBody(bytes, unrecognized, kind), isTyped: true };
  const parsed = type === 'yaml' ? yamlBody(bytes, unrecognized) : jsonBody(bytes, unrecognized, kind);
  if (!isObject(parsed.value)) throw unrecognized(notAnObject(parsed.value));
  return parsed;
}

type Refusal = (why: string) => StatusError;

function jsonBody(bytes: Buffer, refuse: Refusal, { isCustom }: ExpectedKind): SentBody {
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const prefix = "couldn't get version/kind; json parse error: ";
    throw refuse(prefix + jsonSyntaxError(bytes.toString('latin1')));
  }
  checkDepth(value);
  if (!hasDuplicateKeys(text, value)) return { value };
  const parsed = parseDuplicates(text, isCustom ? 'last' : 'merged');
  const warnings = parsed.duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`);
  return { value: parsed.value, repeated: { strict: warnings.join(', '), warnings } };
}

function yamlBody(bytes: Buffer, refuse: Refusal): SentBody {
  const parsed = parseYaml(bytes.toString('utf8'));
  if (parsed instanceof Error) throw refuse(`yaml: ${parsed.message}`);
  checkDepth(parsed.value);
  const { value, duplicates } = parsed;
  if (duplicates.length === 0) return { value };
  return { value, repeated: { strict: ['yaml: unmarshal errors:', ...duplicates].join('\n  '), warnings: duplicates } };
}

function protobufBody(bytes: Buffer, refuse: Refusal, kind: Pick<ExpectedKind, 'group' | 'version' | 'kind'>): unknown {
  try {
    const value = decodeProtobuf(bytes, { apiVersion: apiVersionOf(kind), kind: kind.kind });
    // JSON may stand in it, as deep as it likes.
    checkDepth(value);
    return value;
  } catch (error) {
    if (error instanceof WireError) throw refuse(error.message);
    throw error;
  }
}

function checkDepth(value: unknown): void {
  if (!isWithinDepth(value, MAX_DEPTH)) throw badRequest(`the body is nested more than ${MAX_DEPTH} levels deep`);
}

const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function notAnObject(value: unknown): string {
  const why = `json: cannot unmarshal ${goJsonType(value)} into Go value of type ${TYPE_META}`;
  return `couldn't get version/kind; json parse error: ${why}`;
}

/** The body itself when it begins like an object, else its first bytes in hex. */
function shown(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>';
  const encoding = bytes[0] === 0x7b ? 'utf8' : 'hex';
  const start = bytes.subarray(0, MAX_SHOWN_BYTES).toString(encoding);
  return bytes.length > MAX_SHOWN_BYTES ? `${start} ...` : start;
}
