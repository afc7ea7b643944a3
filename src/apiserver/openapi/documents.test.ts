import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Lease } from '#kube/kinds/coordination/lease.ts';
import { OpenApiDocuments } from '#apiserver/openapi/documents.ts';
import { Registry } from '#apiserver/registry.ts';
import { definition, tokenOf } from '#testing/definitions.ts';

function world() {
  const registry = new Registry();
  for (const kind of [ConfigMap, Lease]) registry.add(kind);
  return { registry, documents: new OpenApiDocuments(registry, '1.0.0') };
}

test('a document is made once, and again only when a kind in it has changed', () => {
  const { registry, documents } = world();
  const [core, index] = [documents.document('api/v1'), documents.index()];
  assert.equal(documents.document('api/v1'), core);
  registry.add(tokenOf(definition()));
  assert.equal(documents.document('api/v1'), core, 'others stay as they are');
  assert.notEqual(documents.index().hash, index.hash);
  const widgets = documents.document('apis/example.com/v1');
  assert.match(widgets?.text ?? '', /com\.example\.v1\.Widget/);
  registry.add(tokenOf(definition({ names: { shortNames: ['wd'] } })));
  assert.notEqual(documents.document('apis/example.com/v1'), widgets);
});

test('a kind that went leaves nothing behind', () => {
  const { registry, documents } = world();
  const widget = tokenOf(definition());
  registry.add(widget);
  assert.match(documents.index().text, /example\.com/);
  registry.remove(widget);
  assert.equal(documents.document('apis/example.com/v1'), undefined);
  assert.doesNotMatch(documents.index().text, /example\.com/);
  assert.doesNotMatch(documents.swagger().text, /example\.com/);
});
