/**
 * A protobuf document without its schema, as the recordings have it: field number → values, and in the place of bytes
 * what they look like: text, or a message of their own.
 */
import { WireError, WireReader } from '#apiserver/protobuf/wire.ts';
import type { Mask } from '#testing/http-replay/mask.ts';

const ENVELOPE = Buffer.from('k8s\0', 'latin1');
const VARINT = 0;
const BYTES = 2;
/** Numbers that only a time can be. */
const SECONDS = { above: 1_500_000_000, below: 4_000_000_000 };

type Tree = Record<string, unknown>;

export function protobufTree(bytes: Buffer, mask: Mask): unknown {
  const isWrapped = bytes.subarray(0, ENVELOPE.length).equals(ENVELOPE);
  const tree = messageTree(isWrapped ? bytes.subarray(ENVELOPE.length) : bytes, mask);
  if (!tree) return bytes.toString('base64');
  return isWrapped ? { envelope: 'k8s', ...tree } : tree;
}

/** Undefined for what is no message. */
function messageTree(bytes: Buffer, mask: Mask): Tree | undefined {
  const reader = new WireReader(bytes);
  const tree: Record<string, unknown[]> = {};
  try {
    while (!reader.isAtEnd) {
      const tag = reader.tag('message');
      if (tag.wireType !== VARINT && tag.wireType !== BYTES) return undefined;
      const value =
        tag.wireType === VARINT ? numberOf(reader.int(tag, 'field')) : bytesTree(reader.bytes(tag, 'field'), mask);
      (tree[tag.number] ??= []).push(value);
    }
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return tree;
}

function numberOf(value: number): number | string {
  return value > SECONDS.above && value < SECONDS.below ? '<seconds>' : value;
}

function bytesTree(bytes: Buffer, mask: Mask): unknown {
  if (bytes.length === 0) return '';
  if (bytes.subarray(0, ENVELOPE.length).equals(ENVELOPE)) return protobufTree(bytes, mask);
  const text = bytes.toString('utf8');
  if (/^\d{2,}$/.test(text)) return '<digits>';
  if (/^[\u0020-\u007e]+$/.test(text)) return mask.text(text);
  return messageTree(bytes, mask) ?? mask.text(text);
}
