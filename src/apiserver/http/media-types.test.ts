import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyTypeOf } from '#apiserver/http/media-types.ts';
import type { ServedKind } from '#apiserver/registry.ts';

const builtin = { kind: { isCustom: false } } as ServedKind;

for (const [type, isNamed] of [
  ['application/vnd.kubernetes.protobuf', false],
  ['text/plain', true],
] as const) {
  test(`a body in ${type} is refused ${isNamed ? 'with the list that Kubernetes gives' : 'and not called acceptable'}`, () => {
    const list = `application/json, application/yaml${isNamed ? ', application/vnd.kubernetes.protobuf' : ''}`;
    assert.throws(() => bodyTypeOf(builtin, type), {
      message: `the body of the request was in an unknown format - accepted media types include: ${list}`,
    });
  });
}
