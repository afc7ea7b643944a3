/**
 * Kubernetes' protobuf → what the same object looks like in JSON.
 *
 * A body is four magic bytes and an envelope that names the kind and holds its message. A Go client writes every field
 * that is not a pointer, also an empty one, which its JSON leaves out: so does this. Fields that we do not know are
 * passed over, as every reader of protobuf does; of a message that stands twice where one belongs the second counts (Go
 * joins them, but nobody writes such). The bytes are anybody's.
 *
 * k8s.io/apimachinery/pkg/runtime/serializer/protobuf
 */
import { setMember } from '#base/json.ts';
import { formatMicroTime, formatTime } from '#kube/time.ts';
import { type Field, fieldsOf, MAGIC, messageOf, type TypeNames } from '#apiserver/protobuf/messages.ts';
import { WireError, WireReader } from '#apiserver/protobuf/wire.ts';

const DELETE_OPTIONS = 'meta.DeleteOptions';

type Document = Record<string, unknown>;

/**
 * The document in a body. A kind that nobody has in protobuf is answered by its names alone. Throws a `WireError`.
 * @param expected the kind of a body that does not say it.
 */
export function decodeProtobuf(body: Buffer, expected: TypeNames): Document {
  const { names, raw } = readEnvelope(body);
  const apiVersion = names.apiVersion || expected.apiVersion;
  const kind = names.kind || expected.kind;
  const message = kind === 'DeleteOptions' ? DELETE_OPTIONS : messageOf({ apiVersion, kind });
  return { apiVersion, kind, ...(message === undefined ? {} : readMessage(raw, message)) };
}

function readEnvelope(body: Buffer): { names: TypeNames; raw: Buffer } {
  if (body.length === 0) throw new WireError('empty data');
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    const prefix = [...MAGIC].join(' ');
    throw new WireError(`provided data does not appear to be a protobuf message, expected prefix [${prefix}]`);
  }
  if (body.length === MAGIC.length) throw new WireError('empty body');
  const reader = new WireReader(body.subarray(MAGIC.length));
  const names = { apiVersion: '', kind: '' };
  let raw = Buffer.alloc(0);
  while (!reader.isAtEnd) {
    const tag = reader.tag('Unknown');
    if (tag.number === 1) Object.assign(names, readTypeMeta(reader.bytes(tag, 'TypeMeta')));
    else if (tag.number === 2) raw = Buffer.from(reader.bytes(tag, 'Raw'));
    else reader.skip(tag);
  }
  return { names, raw };
}

function readTypeMeta(bytes: Buffer): Partial<TypeNames> {
  const reader = new WireReader(bytes);
  const names: { apiVersion?: string; kind?: string } = {};
  while (!reader.isAtEnd) {
    const tag = reader.tag('TypeMeta');
    if (tag.number === 1) names.apiVersion = reader.bytes(tag, 'APIVersion').toString('utf8');
    else if (tag.number === 2) names.kind = reader.bytes(tag, 'Kind').toString('utf8');
    else reader.skip(tag);
  }
  return names;
}

function readMessage(bytes: Buffer, message: string): Document {
  const reader = new WireReader(bytes);
  const known = fieldsOf(message);
  const document: Document = {};
  const name = message.split('.').at(-1) ?? message;
  while (!reader.isAtEnd) {
    const tag = reader.tag(name);
    const field = known.find(({ number }) => number === tag.number);
    if (!field) reader.skip(tag);
    else if (field.mark === '{}') readEntry(reader.bytes(tag, field.name), field, document);
    else if (field.name === '') Object.assign(document, readMessage(reader.bytes(tag, field.type), field.type));
    else keep(document, field, readValue(reader, tag, field));
  }
  return document;
}

/** What JSON would leave out is left out: no time, and the zero of what is not a pointer. */
function keep(document: Document, { name, mark }: Field, value: unknown): void {
  if (mark === '[]') {
    const list = document[name];
    if (Array.isArray(list)) list.push(value);
    else document[name] = [value];
    return;
  }
  const isZero = value === '' || value === 0 || value === false;
  if (value === undefined || (isZero && mark !== '?')) delete document[name];
  else document[name] = value;
}

/** An entry of a map: a message of a key and a value, each of which may be absent when it is empty. */
function readEntry(bytes: Buffer, field: Field, document: Document): void {
  const reader = new WireReader(bytes);
  let key = '';
  let value = readBytes(Buffer.alloc(0), field.type);
  while (!reader.isAtEnd) {
    const tag = reader.tag(field.name);
    if (tag.number === 1) key = reader.bytes(tag, field.name).toString('utf8');
    else if (tag.number === 2) value = readValue(reader, tag, field);
    else reader.skip(tag);
  }
  const map = (document[field.name] ?? {}) as Document;
  setMember(map, key, value);
  document[field.name] = map;
}

function readValue(reader: WireReader, tag: { number: number; wireType: number }, { name, type }: Field): unknown {
  switch (type) {
    case 'int':
      return reader.int(tag, name);
    case 'bool':
      return reader.int(tag, name) !== 0;
    case 'double':
      return reader.double(tag, name);
    default:
      return readBytes(reader.bytes(tag, name), type);
  }
}

/** Types whose JSON is not that of their message. */
const SPECIAL: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  string: (bytes) => bytes.toString('utf8'),
  bytes: (bytes) => bytes.toString('base64'),
  Quantity: (bytes) => partsOf(bytes).texts.get(1) ?? '0',
  IntOrString: (bytes) => {
    const { numbers, texts } = partsOf(bytes);
    return numbers.get(1) === 1 ? (texts.get(3) ?? '') : (numbers.get(2) ?? 0);
  },
  Time: (bytes) => timeOf(bytes, formatTime),
  MicroTime: (bytes) => timeOf(bytes, formatMicroTime),
  FieldsV1: embeddedJson,
  StringList: stringList,
  RawExtension: embeddedJson,
};

function readBytes(bytes: Buffer, type: string): unknown {
  const special = SPECIAL[type];
  return special ? special(bytes) : readMessage(bytes, type);
}

/** Years that RFC 3339 can write. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;
const MAX_NANOS = 999_999_999;

function timeOf(bytes: Buffer, format: (epochMs: number) => string): string | undefined {
  if (bytes.length === 0) return undefined;
  const { numbers } = partsOf(bytes);
  const [seconds = 0, nanos = 0] = [numbers.get(1), numbers.get(2)];
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanos < 0 || nanos > MAX_NANOS)
    throw new WireError('proto: time is out of range');
  return format(seconds * 1_000 + Math.floor(nanos / 1e6));
}

function embeddedJson(bytes: Buffer): unknown {
  const text = partsOf(bytes).texts.get(1) ?? '';
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new WireError('proto: an embedded object is not JSON');
  }
}

/** A list that is the value of a map, which in protobuf takes a message of its own. */
function stringList(bytes: Buffer): string[] {
  const reader = new WireReader(bytes);
  const list: string[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.tag('items');
    if (tag.number === 1) list.push(reader.bytes(tag, 'items').toString('utf8'));
    else reader.skip(tag);
  }
  return list;
}

/** A message of numbers and texts, by their numbers. */
function partsOf(bytes: Buffer): { numbers: Map<number, number>; texts: Map<number, string> } {
  const reader = new WireReader(bytes);
  const numbers = new Map<number, number>();
  const texts = new Map<number, string>();
  while (!reader.isAtEnd) {
    const tag = reader.tag('value');
    if (tag.wireType === 0) numbers.set(tag.number, reader.int(tag, 'value'));
    else if (tag.wireType === 2) texts.set(tag.number, reader.bytes(tag, 'value').toString('utf8'));
    else reader.skip(tag);
  }
  return { numbers, texts };
}
