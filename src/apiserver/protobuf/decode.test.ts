import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeProtobuf } from '#apiserver/protobuf/decode.ts';
import { WireError } from '#apiserver/protobuf/wire.ts';

/** A field: its number, and a number (varint), or text, bytes or a message (bytes). */
type Value = number | bigint | string | Buffer | readonly (readonly [number, Value])[];

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

function message(...fields: readonly (readonly [number, Value])[]): Buffer {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number' || typeof value === 'bigint') return [varint(number << 3), varint(value)];
    const bytes = isFields(value) ? message(...value) : Buffer.from(value as string);
    return [varint((number << 3) | 2), varint(bytes.length), bytes];
  });
  return Buffer.concat(parts);
}

function isFields(value: Value): value is readonly (readonly [number, Value])[] {
  return Array.isArray(value);
}

function body(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const types: Value = [
    [1, apiVersion],
    [2, kind],
  ];
  return Buffer.concat([Buffer.from('k8s\0'), message([1, types], [2, raw], [3, ''], [4, ''])]);
}

const expected = { apiVersion: 'v1', kind: 'Pod' };
const podOf = (...fields: readonly (readonly [number, Value])[]) =>
  decodeProtobuf(body('v1', 'Pod', message(...fields)), expected);

test('a pod as client-go writes one: empty fields are left out, the zero of a pointer is not', () => {
  const container: Value = [
    [1, 'app'],
    [2, 'dev.local/app:1'],
    [3, '/app'],
    [3, '--verbose'],
    [5, ''],
    [
      6,
      [
        [1, 'http1'],
        [2, 0],
        [3, 8080],
        [4, 'TCP'],
        [5, ''],
      ],
    ],
    [
      7,
      [
        [1, 'A'],
        [2, ''],
      ],
    ],
    [
      8,
      [
        [
          1,
          [
            [1, 'cpu'],
            [2, [[1, '500m']]],
          ],
        ],
      ],
    ],
    [
      11,
      [
        [
          1,
          [
            [
              2,
              [
                [1, ''],
                [
                  2,
                  [
                    [1, 0],
                    [2, 8080],
                    [3, ''],
                  ],
                ],
                [3, ''],
                [4, ''],
              ],
            ],
          ],
        ],
        [2, 0],
        [4, 10],
      ],
    ],
    [16, 0],
  ];
  const metadata: Value = [
    [1, 'web'],
    [2, ''],
    [8, []],
    [
      11,
      [
        [1, 'app'],
        [2, 'web'],
      ],
    ],
    [
      11,
      [
        [1, '__proto__'],
        [2, 'x'],
      ],
    ],
  ];
  const spec: Value = [
    [
      1,
      [
        [1, 'data'],
        [2, [[2, [[1, '']]]]],
      ],
    ],
    [2, container],
    [4, 0],
    [11, 0],
    [21, 0],
    [25, -5n],
  ];
  const { labels, ...rest } = podOf([1, metadata], [2, spec], [3, []])['metadata'] as Record<string, unknown>;
  assert.deepEqual(Object.entries(labels as object), [
    ['app', 'web'],
    ['__proto__', 'x'],
  ]);
  assert.deepEqual(rest, { name: 'web' });
  assert.deepEqual(podOf([2, spec])['spec'], {
    volumes: [{ name: 'data', emptyDir: {} }],
    containers: [
      {
        name: 'app',
        image: 'dev.local/app:1',
        command: ['/app', '--verbose'],
        ports: [{ name: 'http1', containerPort: 8080, protocol: 'TCP' }],
        env: [{ name: 'A' }],
        resources: { limits: { cpu: '500m' } },
        readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 10 },
      },
    ],
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    priority: -5,
  });
});

test('bytes, times and names for ports', () => {
  const secret = message(
    [1, [[1, 's']]],
    [
      2,
      [
        [1, 'key'],
        [2, Buffer.from([0, 255])],
      ],
    ],
    [3, 'Opaque'],
  );
  assert.deepEqual(decodeProtobuf(body('v1', 'Secret', secret), expected), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { key: 'AP8=' },
    type: 'Opaque',
  });
  const lease = message([
    2,
    [
      [1, 'me'],
      [
        3,
        [
          [1, 1_700_000_000],
          [2, 123_456_000],
        ],
      ],
    ],
  ]);
  const { spec } = decodeProtobuf(body('coordination.k8s.io/v1', 'Lease', lease), expected);
  assert.deepEqual(spec, { holderIdentity: 'me', acquireTime: '2023-11-14T22:13:20.123000Z' });
  const service = message([
    2,
    [
      [
        1,
        [
          [3, 80],
          [
            4,
            [
              [1, 1],
              [2, 0],
              [3, 'http'],
            ],
          ],
        ],
      ],
    ],
  ]);
  assert.deepEqual(decodeProtobuf(body('v1', 'Service', service), expected)['spec'], {
    ports: [{ port: 80, targetPort: 'http' }],
  });
});

test('an entry of a map without a value has the empty one', () => {
  const quota = message([2, [[1, [[1, 'cpu']]]]]);
  const { spec } = decodeProtobuf(body('v1', 'ResourceQuota', quota), expected);
  assert.deepEqual(spec, { hard: { cpu: '0' } });
});

test('a body that does not say its kind has the expected one, and an unknown kind is left to its names', () => {
  assert.equal(decodeProtobuf(body('', '', message([1, [[1, 'x']]])), expected)['kind'], 'Pod');
  assert.deepEqual(decodeProtobuf(body('example.com/v1', 'Thing', message([1, 'x'])), expected), {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
  });
});

const broken: readonly [name: string, bytes: Buffer, why: RegExp][] = [
  ['nothing', Buffer.alloc(0), /^empty data$/],
  ['only the magic bytes', Buffer.from('k8s\0'), /^empty body$/],
  ['JSON', Buffer.from('{}'), /does not appear to be a protobuf message, expected prefix \[107 56 115 0\]$/],
  ['a wrong wire type', body('v1', 'Pod', message([1, 5])), /^proto: wrong wireType = 0 for field metadata$/],
  ['a length beyond the end', body('v1', 'Pod', Buffer.from([0x0a, 0x7f])), /^unexpected EOF$/],
  ['a number without end', body('v1', 'Pod', Buffer.alloc(11, 0xff)), /^proto: integer overflow$/],
  ['field 0', body('v1', 'Pod', Buffer.from([2, 0])), /illegal tag 0/],
  ['groups in groups', body('v1', 'Pod', Buffer.alloc(100_000, 0x7b)), /^proto: illegal wireType 3$/],
  [
    'a time with too many nanoseconds',
    body(
      'v1',
      'Pod',
      message([
        1,
        [
          [
            8,
            [
              [1, 1],
              [2, 1n << 62n],
            ],
          ],
        ],
      ]),
    ),
    /time is out of range/,
  ],
  ['a time that is none', body('v1', 'Pod', message([1, [[8, [[1, 1n << 60n]]]]])), /time is out of range/],
];
for (const [name, bytes, why] of broken) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => decodeProtobuf(bytes, expected),
      (error) => error instanceof WireError && why.test(error.message),
    );
  });
}

test('whatever the bytes are, it is a document or a refusal', () => {
  const pod = message(
    [1, [[1, 'web']]],
    [
      2,
      [
        [
          2,
          [
            [1, 'app'],
            [6, [[3, 8080]]],
            [
              8,
              [
                [
                  1,
                  [
                    [1, 'cpu'],
                    [2, [[1, '1']]],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ],
  );
  const whole = body('v1', 'Pod', pod);
  const check = (bytes: Buffer) => {
    try {
      assert.equal(typeof decodeProtobuf(bytes, expected), 'object');
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  };
  for (let length = 0; length < whole.length; length += 1) check(whole.subarray(0, length));
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(changes, (list) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of list) bytes[at] = value;
      check(bytes);
    }),
    { numRuns: 2_000 },
  );
});
