import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Asked, Misbehaviour, parseVerdict, PatchFault } from '#apiserver/webhooks/verdict.ts';

const asked: Asked = { uid: 'u', type: 'mutating', version: 'v1' };
const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

function answer(response: unknown, envelope: object = review): Buffer {
  return Buffer.from(JSON.stringify({ ...envelope, response }));
}

function failure(body: Buffer, about: Asked = asked): string {
  try {
    parseVerdict(body, about);
  } catch (error) {
    assert.ok(error instanceof Misbehaviour || error instanceof PatchFault, String(error));
    return error.message;
  }
  return 'no failure';
}

describe('answers that cannot be used', () => {
  const rows: readonly [behaviour: string, body: Buffer, message: string | RegExp, about?: Asked][] = [
    [
      'nothing',
      Buffer.alloc(0),
      /^failed to call webhook: couldn't get version\/kind; json parse error: unexpected end/,
    ],
    ['a page', Buffer.from('<html>'), /json parse error: invalid character '<' looking for beginning of value$/],
    [
      'a list',
      Buffer.from('[]'),
      'failed to call webhook: json: cannot unmarshal array into Go value of type v1.AdmissionReview',
    ],
    [
      'no response',
      Buffer.from(JSON.stringify(review)),
      'received invalid webhook response: webhook response was absent',
    ],
    [
      'another uid',
      answer({ uid: 'x', allowed: true }),
      'received invalid webhook response: expected response.uid="u", got "x"',
    ],
    [
      'another kind',
      answer({ uid: 'u' }, {}),
      'received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=',
    ],
    [
      'a word for allowed',
      answer({ uid: 'u', allowed: 'yes' }),
      'failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool',
    ],
    [
      'a patch without its type',
      answer({ uid: 'u', patch: base64([]) }),
      /response\.patch but not response\.patchType$/,
    ],
    [
      'a type without its patch',
      answer({ uid: 'u', patchType: 'JSONPatch' }),
      /response\.patchType but not response\.patch$/,
    ],
    [
      'an unknown type of patch',
      answer({ uid: 'u', patch: base64([]), patchType: 'Merge' }),
      'unsupported patch type "Merge"',
    ],
    ['a patch that is not base64', answer({ uid: 'u', patch: '!!', patchType: 'JSONPatch' }), /illegal base64/],
    ['a patch that is not JSON', answer({ uid: 'u', patch: 'e3s=', patchType: 'JSONPatch' }), /invalid character '\{'/],
    [
      'a patch of a validating webhook',
      answer({ uid: 'u', patch: base64([]), patchType: 'JSONPatch' }),
      'received invalid webhook response: validating webhook may not return response.patch',
      { ...asked, type: 'validating' },
    ],
    [
      'depth',
      Buffer.from(`{"response":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      'failed to call webhook: exceeded max depth',
    ],
    [
      'depth inside the patch',
      answer({
        uid: 'u',
        patchType: 'JSONPatch',
        patch: Buffer.from('['.repeat(9_000) + ']'.repeat(9_000)).toString('base64'),
      }),
      'exceeded max depth',
    ],
  ];
  for (const [behaviour, body, message, about] of rows) {
    test(behaviour, () => {
      const said = failure(body, about);
      if (typeof message === 'string') assert.equal(said, message);
      else assert.match(said, message);
    });
  }
});

describe('answers that are taken', () => {
  test('consent, with a patch, warnings and annotations', () => {
    const verdict = parseVerdict(
      answer({
        uid: 'u',
        allowed: true,
        patchType: 'JSONPatch',
        patch: base64([{ op: 'remove', path: '/a' }]),
        warnings: ['careful'],
        auditAnnotations: { why: 'because', 'not a name!': 'x' },
      }),
      asked,
    );
    assert.equal(verdict.isAllowed, true);
    assert.deepEqual(verdict.patch, [{ op: 'remove', path: '/a' }]);
    assert.deepEqual(verdict.warnings, ['careful']);
    assert.deepEqual(verdict.auditAnnotations, { why: 'because' });
  });

  test('refusal, with what may be passed on of its status', () => {
    const status = {
      code: 403,
      message: 'no',
      reason: 'Forbidden',
      details: { name: 'n', causes: [{ field: 'f', x: 1 }] },
      metadata: { a: 1 },
    };
    const { refused } = parseVerdict(answer({ uid: 'u', allowed: false, status }), asked);
    assert.deepEqual(refused, {
      code: 403,
      message: 'no',
      reason: 'Forbidden',
      details: { name: 'n', causes: [{ field: 'f' }] },
    });
  });

  test('a refusal cannot look like success', () => {
    for (const code of [0, 200, 302, 99_999, -1, 400.5]) {
      assert.equal(parseVerdict(answer({ uid: 'u', status: { code } }), asked).refused.code, 400);
    }
  });

  test('v1beta1 is not asked for its name', () => {
    assert.equal(parseVerdict(answer({ allowed: true }, {}), { ...asked, version: 'v1beta1' }).isAllowed, true);
  });

  test('texts and counts are bounded', () => {
    const warnings = Array.from({ length: 1_000 }, () => 'w'.repeat(100_000));
    const verdict = parseVerdict(
      answer({ uid: 'u', allowed: true, warnings, status: { message: 'm'.repeat(1e6) } }),
      asked,
    );
    assert.equal(verdict.warnings.length, 64);
    assert.ok((verdict.warnings[0] ?? '').length < 40_000);
    assert.ok((verdict.refused.message ?? '').length < 40_000);
  });

  test('__proto__ is a name like any other', () => {
    const body = Buffer.from(
      `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u","__proto__":{"allowed":true}}}`,
    );
    assert.equal(parseVerdict(body, asked).isAllowed, false);
  });
});

test('no answer, whatever it is, ends in another way than these', () => {
  const response = fc.record(
    {
      uid: fc.constantFrom('u', 1, null),
      allowed: fc.anything(),
      status: fc.anything({ withNullPrototype: false }),
      patch: fc.oneof(fc.base64String(), fc.anything()),
      patchType: fc.constantFrom('JSONPatch', '', 7),
      warnings: fc.anything(),
      auditAnnotations: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        response.map((one) => ({ ...review, response: one })),
        fc.anything(),
      ),
      (body) => {
        const text =
          JSON.stringify(body, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? '';
        try {
          parseVerdict(Buffer.from(text), asked);
        } catch (error) {
          assert.ok(error instanceof Misbehaviour || error instanceof PatchFault, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});
