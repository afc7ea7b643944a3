import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '#base/json.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { openApiComponents } from '#kube/openapi.ts';
import { Launch } from '#testing/launch.ts';

const components = openApiComponents([...builtinKinds, Launch]);

test('every reference leads somewhere', () => {
  let references = 0;
  const visit = (value: unknown) => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isObject(value)) return;
    const { $ref } = value;
    if (typeof $ref === 'string') {
      references += 1;
      assert.ok(components[$ref.replace('#/components/schemas/', '')], $ref);
    }
    Object.values(value).forEach(visit);
  };
  visit(components);
  assert.ok(references > 400, `only ${references}`);
});

test('components carry what clients merge and explain by', () => {
  const spec = components['io.k8s.api.core.v1.PodSpec'] as { properties: Record<string, unknown>; required: string[] };
  assert.deepEqual(spec.required, ['containers']);
  assert.deepEqual(spec.properties['volumes'], {
    description: 'Volumes that containers may mount.',
    type: 'array',
    items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Volume' }], default: {} },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge,retainKeys',
  });
  const port = components['io.k8s.api.core.v1.ContainerPort'] as { properties: Record<string, unknown> };
  assert.deepEqual(port.properties['protocol'], {
    description: 'TCP unless another is named.',
    type: 'string',
    enum: ['SCTP', 'TCP', 'UDP'],
    default: 'TCP',
  });
  assert.deepEqual(components['io.k8s.api.apps.v1.Deployment']?.['x-kubernetes-group-version-kind'], [
    { group: 'apps', kind: 'Deployment', version: 'v1' },
  ]);
});

test('custom kinds are written in place, but for their metadata', () => {
  const launch = components['com.example.{{ns}}.v1.Launch'] as { properties: Record<string, Record<string, unknown>> };
  assert.deepEqual(launch.properties['metadata']?.['allOf'], [
    { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
  ]);
  const spec = launch.properties['spec'] as { properties: Record<string, unknown>; required: string[] };
  assert.deepEqual(spec.required, ['image']);
  assert.deepEqual(spec.properties['port'], { description: 'Port.', 'x-kubernetes-int-or-string': true });
  assert.deepEqual(spec.properties['concurrency'], {
    description: 'Limit.',
    type: 'integer',
    format: 'int64',
    nullable: true,
  });
  assert.deepEqual(spec.properties['replicas'], {
    description: 'Count.',
    type: 'integer',
    format: 'int32',
    default: 1,
  });
});
