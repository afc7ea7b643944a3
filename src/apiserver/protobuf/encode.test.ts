import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMicroTime, formatTime } from '#kube/time.ts';
import { decodeProtobuf } from '#apiserver/protobuf/decode.ts';
import { encodeProtobuf, encodeProtobufList, encodeWatchFrame } from '#apiserver/protobuf/encode.ts';
import { KIND_MESSAGES } from '#apiserver/protobuf/fields.ts';
import { type Field, fieldsOf, type TypeNames } from '#apiserver/protobuf/messages.ts';

type Document = Record<string, unknown>;

interface Row {
  readonly what: string;
  readonly object: TypeNames & Document;
  readonly path: readonly string[];
  readonly value: unknown;
}

const hex = (bytes: Buffer) => bytes.toString('hex');

test('an object as Go writes it: empty fields too, in ascending order, in the envelope', () => {
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'b', creationTimestamp: '2026-01-02T03:04:05Z' },
    roleRef: { kind: 'Role', name: 'r' },
  };
  const types = '0a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f7631120b526f6c6542696e64696e67';
  const time = '420808a5ebdcca061000';
  const metadata = `0a016212001a0022002a0032003800${time}`;
  const roleRef = '0a001204526f6c651a0172';
  const raw = `0a${bytesIn(metadata)}${metadata}1a${bytesIn(roleRef)}${roleRef}`;
  const expected = `6b3873000a${bytesIn(types)}${types}12${bytesIn(raw)}${raw}1a002200`;
  assert.equal(hex(encodeProtobuf(role)), expected);
});

function bytesIn(text: string): string {
  return (text.length / 2).toString(16).padStart(2, '0');
}

const rows: readonly Row[] = [
  {
    what: 'a pointer to zero is kept, and what is no pointer is not invented',
    object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { replicas: 0 } },
    path: ['spec', 'replicas'],
    value: 0,
  },
  {
    what: 'a number below zero',
    object: { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { priority: -2_000_000_000 } },
    path: ['spec', 'priority'],
    value: -2_000_000_000,
  },
  {
    what: 'a port by name',
    object: { apiVersion: 'v1', kind: 'Service', metadata: {}, spec: { ports: [{ port: 80, targetPort: 'web' }] } },
    path: ['spec', 'ports'],
    value: [{ port: 80, targetPort: 'web' }],
  },
  {
    what: 'keys and values that are not ASCII',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { ключ: 'значение 🚤', a: '' } },
    path: ['data'],
    value: { ключ: 'значение 🚤', a: '' },
  },
];
for (const { what, object, path, value } of rows) {
  test(what, () => {
    const found = path.reduce<unknown>(
      (at, key) => (at as Document)[key],
      decodeProtobuf(encodeProtobuf(object), object),
    );
    assert.deepEqual(found, value);
  });
}

test('a list has its metadata and its items', () => {
  const items = ['a', 'b'].map((name) => ({ metadata: { name }, data: { name } }));
  const list = { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '7' }, items };
  const bytes = encodeProtobufList(list, { apiVersion: 'v1', kind: 'ConfigMap' });
  // Read as if the list were two fields of an object that has such.
  assert.ok(bytes.includes(Buffer.from('ConfigMapList')));
  assert.ok(bytes.indexOf(Buffer.from('\n\u0001a')) < bytes.indexOf(Buffer.from('\n\u0001b')));
});

test('an event of a watch is a frame with its length before it', () => {
  const frame = encodeWatchFrame('ADDED', Buffer.from('document'));
  assert.equal(frame.readUInt32BE(0), frame.length - 4);
  assert.equal(hex(frame.subarray(4)), `0a05${hex(Buffer.from('ADDED'))}120a0a08${hex(Buffer.from('document'))}`);
});

test('whatever is written is read again as it was, for every kind', () => {
  const kinds = Object.entries(KIND_MESSAGES).map(([name, message]) => {
    const slash = name.lastIndexOf('/');
    return { names: { apiVersion: name.slice(0, slash), kind: name.slice(slash + 1) }, message };
  });
  const document = fc
    .constantFrom(...kinds)
    .chain(({ names, message }) => documentOf(message, 6).map((content) => ({ ...content, ...names })));
  fc.assert(
    fc.property(document, (object) => {
      const read = decodeProtobuf(encodeProtobuf(object), { apiVersion: '', kind: '' });
      assert.deepEqual(withoutEmpty(read), withoutEmpty(object));
    }),
    { numRuns: 1_000 },
  );
});

/** Members that hold nothing: of a struct that is always written no reader knows whether it was there. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withoutEmpty(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => !isEmpty(member)));
}

/** The zeros are those that a struct without content has, too. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === '0' || value === false) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function documentOf(message: string, depth: number): fc.Arbitrary<Document> {
  const parts = fieldsOf(message).map((field) =>
    fc.option(memberOf(field, depth), { nil: {}, depthSize: 'small', maxDepth: 8 }),
  );
  return fc.tuple(...parts).map((members) => Object.assign({}, ...members) as Document);
}

function memberOf(field: Field, depth: number): fc.Arbitrary<Document> {
  const value = valueOf(field.type, depth);
  if (field.name === '') return value as fc.Arbitrary<Document>;
  const whole =
    field.mark === '[]'
      ? fc.array(value, { maxLength: 2 })
      : field.mark === '{}'
        ? fc.dictionary(fc.string({ maxLength: 5 }), value, { maxKeys: 2, noNullPrototype: true })
        : value;
  return whole.map((content) => ({ [field.name]: content }));
}

function valueOf(type: string, depth: number): fc.Arbitrary<unknown> {
  const scalar = SCALARS[type];
  if (scalar) return scalar;
  return depth === 0 ? fc.constant({}) : documentOf(type, depth - 1);
}

const seconds = fc.integer({ min: 1, max: 4_000_000_000 });
const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: 'binary', maxLength: 8 }),
  int: fc.maxSafeInteger(),
  bool: fc.boolean(),
  double: fc.double({ noNaN: true }),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  Quantity: fc.constantFrom('0', '100m', '64Mi'),
  IntOrString: fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.constantFrom('http', '50%')),
  Time: seconds.map((value) => formatTime(value * 1_000)),
  MicroTime: seconds.map((value) => formatMicroTime(value * 1_000 + 17)),
  FieldsV1: fc.constant({ 'f:data': { '.': {} } }),
  StringList: fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 3 }),
  RawExtension: fc.constant({ apiVersion: 'v1', kind: 'Thing', a: 1 }),
};
