import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '#base/json.ts';
import { canonicalValue, emptyValue } from '#kube/canonical.ts';
import { decodeError } from '#kube/decode-errors.ts';
import { fillDefaults } from '#kube/defaults.ts';
import type { Kind } from '#kube/kind.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { Role } from '#kube/kinds/rbac/role.ts';
import { pruneUnknown } from '#kube/prune.ts';
import { schemaErrors } from '#kube/schema-errors.ts';
import { Launch } from '#testing/launch.ts';
import { recordedCases } from '#testing/recorded-http.ts';

type Json = Record<string, unknown>;

const KINDS: readonly Kind[] = [...builtinKinds, Launch];

test('unknown fields are named, in order, as a real API server names them', () => {
  let rows = 0;
  for (const { path, method, body, expect } of recordedCases(/^(fieldvalidation|crd-pruning)/).flatMap(
    ({ steps }) => steps,
  )) {
    const kind = KINDS.find((candidate) => path.split('?')[0]?.endsWith(`/${candidate.plural}`));
    const warning = expect.headers?.['warning'];
    if (method !== 'POST' || kind === undefined || body === undefined || warning === undefined) continue;
    const warnings = pruneUnknown(kind, body as Json).unknownFields.map(
      (field) => `299 - "unknown field \\"${field}\\""`,
    );
    assert.equal(warnings.join(', '), warning);
    rows += 1;
  }
  assert.ok(rows >= 4, `only ${rows}`);
});

test('custom resources: what is pruned, kept, defaulted and dropped as null', () => {
  let rows = 0;
  for (const { path, method, body, expect } of recordedCases(/^(crd-pruning|fieldvalidation-cr)/).flatMap(
    ({ steps }) => steps,
  )) {
    if (method !== 'POST' || !path.includes('/launches') || expect.status !== 201 || body === undefined) continue;
    const { value } = pruneUnknown(Launch, deepFreeze(body as Json));
    const filled = structuredClone(value);
    fillDefaults(Launch.schema, filled);
    assert.deepEqual(filled['spec'], (expect.body as Json)['spec']);
    rows += 1;
  }
  assert.ok(rows >= 4, `only ${rows}`);
});

test('custom resources that do not fit are refused in the words of a real API server', () => {
  /** Of rules that are not about the shape: limits, patterns, enums, CEL, the scale subresource. */
  const otherRules =
    /should be|should match|rules were not checked|accessor error|Too (long|many)|Unsupported|evaluating rule|must be Launch/;
  let rows = 0;
  for (const { path, body, expect } of recordedCases(/^crd-validation/).flatMap(({ steps }) => steps)) {
    const { details } = (expect.body ?? {}) as {
      details?: { causes?: { field: string; message: string; reason: string }[] };
    };
    if (!path.endsWith('/launches') || expect.status !== 422) continue;
    const theirs = (details?.causes ?? []).filter(({ message }) => !otherRules.test(message)).map(show);
    const ours = schemaErrors(Launch.schema, body).map(show);
    assert.deepEqual(ours.sort(), theirs.sort(), JSON.stringify(body));
    rows += 1;
  }
  assert.ok(rows >= 15, `only ${rows}`);
});

function show({ field, message, reason }: { field: string; message: string; reason: string }): string {
  return `${reason} ${field}: ${message}`;
}

test('distinct elements are told apart by their keys, defaults included', () => {
  const traffic = [{ tag: 'a', percent: 1 }, { tag: 'b' }, { tag: 'a', percent: 2 }];
  const errors = schemaErrors(Launch.schema, { spec: { image: 'x', traffic, concurrency: null, free: null } });
  assert.deepEqual(errors.map(show), [
    'FieldValueDuplicate spec.traffic[2]: Duplicate value: map[string]interface {}{"tag":"a"}',
  ]);
  const nulls = schemaErrors(Launch.schema, { spec: { image: null } });
  assert.deepEqual(nulls.map(show), [
    'FieldValueTypeInvalid spec.image: Invalid value: "null": spec.image in body must be of type string: "null"',
  ]);
});

test('documents that cannot be decoded are refused in Go’s words', () => {
  const pod = (container: Json) => ({ spec: { containers: [{ name: 'a', ...container }] } });
  const rows: [Kind, Json, string | undefined][] = [
    [ConfigMap, { data: { a: 5 } }, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    [
      ConfigMap,
      { data: { n: { x: 1 } } },
      'json: cannot unmarshal object into Go struct field ConfigMap.data of type string',
    ],
    [
      ConfigMap,
      { metadata: 'x' },
      'json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
    ],
    [Secret, { data: { a: '1' } }, 'illegal base64 data at input byte 0'],
    [Secret, { data: { a: 'YWJj' } }, undefined],
    [
      Pod,
      pod({ args: 'x' }),
      'json: cannot unmarshal string into Go struct field Container.spec.containers.args of type []string',
    ],
    [
      Pod,
      pod({ stdin: 1 }),
      'json: cannot unmarshal number into Go struct field Container.spec.containers.stdin of type bool',
    ],
    [
      Pod,
      pod({ ports: [{ containerPort: 1.5 }] }),
      'json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      Pod,
      pod({ resources: { limits: { memory: '1 Gi' } } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [Pod, pod({ resources: { limits: { cpu: 1 } } }), undefined],
    [
      Pod,
      pod({ livenessProbe: { httpGet: { port: true } } }),
      'json: cannot unmarshal bool into Go value of type int32',
    ],
    [Pod, pod({ command: null, env: [null] }), undefined],
    [Event, { firstTimestamp: 'x' }, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
    [Event, { firstTimestamp: '2026-13-01T00:00:00Z' }, 'parsing time "2026-13-01T00:00:00Z": month out of range'],
    [Event, { firstTimestamp: '2026-02-30T00:00:00Z' }, 'parsing time "2026-02-30T00:00:00Z": day out of range'],
    [Event, { firstTimestamp: '2026-02-03T00:00:00.5+01:00' }, undefined],
    [
      Event,
      { eventTime: '2026-01-02T03:04:05Z' },
      'parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
  ];
  for (const [kind, value, message] of rows) assert.equal(decodeError(kind.schema, value), message);
});

test('built-in kinds are kept in the form that Go structs give them', () => {
  const rows: [Kind, Json, Json][] = [
    [ConfigMap, { data: {}, immutable: false, extra: 1 }, { immutable: false }],
    [ConfigMap, { data: { a: null } }, { data: { a: '' } }],
    [Role, {}, { rules: null }],
    [
      Service,
      { spec: { ports: [{ port: 80 }] } },
      { spec: { ports: [{ port: 80, targetPort: 0 }] }, status: { loadBalancer: {} } },
    ],
    [
      Pod,
      {
        spec: {
          hostNetwork: false,
          automountServiceAccountToken: false,
          containers: [{ name: 'a', args: [], resources: { limits: { memory: '1024Mi' } } }],
        },
      },
      {
        spec: {
          automountServiceAccountToken: false,
          containers: [{ name: 'a', resources: { limits: { memory: '1Gi' } } }],
        },
        status: {},
      },
    ],
  ];
  for (const [kind, given, expected] of rows) {
    const { metadata, ...rest } = canonicalValue(kind.schema, deepFreeze(given)) as Json;
    assert.deepEqual(metadata, { creationTimestamp: null });
    assert.deepEqual(rest, expected);
  }
});

test('a template’s metadata and a selector are always written; times are in UTC', () => {
  assert.deepEqual(emptyValue(Deployment.schema), {
    metadata: { creationTimestamp: null },
    spec: {
      selector: null,
      template: { metadata: { creationTimestamp: null }, spec: { containers: null } },
      strategy: {},
    },
    status: {},
  });
  const event = canonicalValue(Event.schema, {
    firstTimestamp: '2026-01-02T05:04:05+02:00',
    involvedObject: {},
  }) as Json;
  assert.equal(event['firstTimestamp'], '2026-01-02T03:04:05Z');
  assert.equal(event['eventTime'], null);
});

test('law: the canonical form is its own', () => {
  for (const kind of builtinKinds) {
    const once = canonicalValue(kind.schema, emptyValue(kind.schema));
    assert.deepEqual(canonicalValue(kind.schema, once), once, kind.kind);
  }
});
