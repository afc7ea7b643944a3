/**
 * What an object looks like in JSON → Kubernetes' protobuf: the counterpart of `decode.ts`, from the same table.
 *
 * As Go's generated code does: fields in ascending order; every field that is no pointer is written, also where it is
 * empty; keys of a map in order. What the table has no field for is left out. Whoever asks has made sure that the kind has a
 * message.
 *
 * k8s.io/apimachinery/pkg/runtime/serializer/protobuf
 */
import { assert } from '#base/assert.ts';
import { isObject } from '#base/json.ts';
import { type Field, fieldsOf, MAGIC, messageOf, type TypeNames } from '#apiserver/protobuf/messages.ts';
import { WireWriter } from '#apiserver/protobuf/wire-writer.ts';

const EMPTY: Readonly<Record<string, unknown>> = {};

export interface ProtobufList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly items: readonly object[];
}

/** A document with its envelope; its kind must have a message. */
export function encodeProtobuf(object: TypeNames): Buffer {
  const fields = fieldsOf(known(object));
  return inEnvelope(object, (writer) => writeFields(writer, fields, { ...object }));
}

/** A list is never in the table: all have their metadata first and their items, each of kind `item`, second. */
export function encodeProtobufList(list: ProtobufList, item: TypeNames): Buffer {
  const items: Field = { number: 2, name: 'items', type: known(item), mark: '[]' };
  const fields: Field[] = [{ number: 1, name: 'metadata', type: 'meta.ListMeta', mark: '' }, items];
  return inEnvelope(list, (writer) => writeFields(writer, fields, { ...list }));
}

function known(names: TypeNames): string {
  const message = messageOf(names);
  assert(message !== undefined, `${names.apiVersion} ${names.kind} has no protobuf message`);
  return message;
}

/** One frame of a watch: four bytes of length, then an event that holds the whole document. */
export function encodeWatchFrame(type: string, document: Buffer): Buffer {
  const writer = new WireWriter();
  writer.message(2, () => writer.raw(1, document));
  writer.text(1, type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(writer.bytes.length);
  return Buffer.concat([length, writer.bytes]);
}

function inEnvelope({ apiVersion, kind }: TypeNames, writeRaw: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  // The encoding of the content and its type: never used, always written.
  writer.text(4, '');
  writer.text(3, '');
  writer.message(2, () => writeRaw(writer));
  writer.message(1, () => {
    writer.text(2, kind);
    writer.text(1, apiVersion);
  });
  writer.prepend(MAGIC);
  return writer.bytes;
}

function writeFields(writer: WireWriter, fields: readonly Field[], document: Readonly<Record<string, unknown>>): void {
  for (const field of fields.toReversed()) {
    const value = field.name === '' ? document : document[field.name];
    writeField(writer, field, value ?? undefined);
  }
}

function writeField(writer: WireWriter, field: Field, value: unknown): void {
  if (field.mark === '[]') {
    if (Array.isArray(value)) for (const item of value.toReversed()) writeValue(writer, field, item);
  } else if (field.mark === '{}') {
    if (isObject(value)) writeMap(writer, field, value);
  } else if (value !== undefined || (field.mark === '' && field.type !== 'bytes')) writeValue(writer, field, value);
}

function writeMap(writer: WireWriter, field: Field, map: Readonly<Record<string, unknown>>): void {
  const keys = Object.keys(map).sort((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a)));
  for (const key of keys) {
    writer.message(field.number, () => {
      writeValue(writer, { ...field, number: 2 }, map[key]);
      writer.text(1, key);
    });
  }
}

/** @param value undefined or null for the zero of its type. */
function writeValue(writer: WireWriter, { number, type }: Field, value: unknown): void {
  switch (type) {
    case 'string':
      return writer.text(number, textOf(value));
    case 'int':
    case 'bool':
      return writer.int(number, Number(value ?? 0));
    case 'double':
      return writer.double(number, Number(value ?? 0));
    case 'bytes':
      return writer.raw(number, Buffer.from(textOf(value), 'base64'));
    default:
      return writer.message(number, () => writeContent(writer, type, value));
  }
}

/** Types whose JSON is not that of their message. */
function writeContent(writer: WireWriter, type: string, value: unknown): void {
  switch (type) {
    case 'Quantity':
      return writer.text(1, textOf(value ?? '0'));
    case 'IntOrString':
      return writeIntOrString(writer, value);
    case 'Time':
    case 'MicroTime':
      return writeTime(writer, textOf(value));
    case 'FieldsV1':
    case 'RawExtension':
      if (value !== undefined) writer.text(1, JSON.stringify(value));
      return;
    case 'StringList':
      if (Array.isArray(value)) for (const item of value.toReversed()) writer.text(1, textOf(item));
      return;
    default:
      writeFields(writer, fieldsOf(type), isObject(value) ? value : EMPTY);
  }
}

function writeIntOrString(writer: WireWriter, value: unknown): void {
  const isText = typeof value === 'string';
  writer.text(3, isText ? value : '');
  writer.int(2, isText ? 0 : Number(value ?? 0));
  writer.int(1, isText ? 1 : 0);
}

/** No time at all is an empty message. */
function writeTime(writer: WireWriter, text: string): void {
  const epochMs = Date.parse(text);
  if (Number.isNaN(epochMs)) return;
  const [, fraction = ''] = /\.(\d{1,9})/.exec(text) ?? [];
  writer.int(2, Number(fraction.padEnd(9, '0')));
  writer.int(1, Math.floor(epochMs / 1_000));
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
