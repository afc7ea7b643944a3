import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyTypeOf } from '#apiserver/http/media-types.ts';
import type { ServedKind } from '#apiserver/registry.ts';

const kindOf = (kind: string, group: string, isCustom: boolean) =>
  ({ kind: { kind, group, version: 'v1', isCustom } }) as ServedKind;
const builtin = kindOf('CustomResourceDefinition', 'apiextensions.k8s.io', false);

test('protobuf is read for the kinds that have it', () => {
  const type = 'application/vnd.kubernetes.protobuf';
  assert.equal(bodyTypeOf(kindOf('ConfigMap', '', false), type), 'protobuf');
  assert.equal(bodyTypeOf(kindOf('Deployment', 'apps', false), type), 'protobuf');
  assert.throws(() => bodyTypeOf(kindOf('Service', 'serving.knative.dev', true), type), /unknown format/);
});

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
