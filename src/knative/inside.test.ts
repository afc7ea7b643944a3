import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/object.ts';
import { insidePart, insideWarning } from '#knative/inside.ts';

const object = (kind: string, metadata: KubeObject['metadata'], rest: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata,
  ...rest,
});
const webhook = (namespace: string, name: string) => ({ clientConfig: { service: { namespace, name } } });
const configuration = (...webhooks: object[]) => object('ValidatingWebhookConfiguration', { name: 'w' }, { webhooks });

const rows: readonly (readonly [what: string, object: KubeObject, part: string | undefined])[] = [
  ['a controller', object('Deployment', { namespace: 'knative-serving', name: 'activator' }), 'Knative Serving'],
  ['a gateway', object('Deployment', { namespace: 'kourier-system', name: '3scale-kourier-gateway' }), 'Kourier'],
  ['Eventing', object('Deployment', { namespace: 'knative-eventing', name: 'imc-dispatcher' }), 'Knative Eventing'],
  ['the same name elsewhere', object('Deployment', { namespace: 'default', name: 'activator' }), undefined],
  ['another name', object('Deployment', { namespace: 'knative-serving', name: 'mine' }), undefined],
  ['a job', object('Job', { namespace: 'knative-serving', name: 'default-domain' }), 'Knative Serving'],
  [
    'a job whose name is generated',
    object('Job', { namespace: 'knative-eventing', generateName: 'storage-version-migration-eventing-' }),
    'Knative Eventing',
  ],
  ['a job elsewhere', object('Job', { namespace: 'default', name: 'default-domain' }), undefined],
  ['a webhook', configuration(webhook('knative-serving', 'webhook')), 'Knative Serving'],
  ['webhooks of two owners', configuration(webhook('knative-serving', 'webhook'), webhook('a', 'b')), undefined],
  ['a webhook by address', configuration({ clientConfig: { url: 'https://example.com' } }), undefined],
  ['no webhooks', configuration(), undefined],
  ['no list of webhooks', object('MutatingWebhookConfiguration', { name: 'w' }, { webhooks: 'x' }), undefined],
  [
    'a kind of Eventing',
    object('CustomResourceDefinition', { name: 'brokers.eventing.knative.dev' }),
    'Knative Eventing',
  ],
  ['a kind of another', object('CustomResourceDefinition', { name: 'brokers.example.com' }), undefined],
  ['a Service', object('Service', { namespace: 'knative-serving', name: 'webhook' }), undefined],
];

for (const [what, one, part] of rows) {
  test(`${what} is ${part === undefined ? 'not inside' : `of ${part}`}`, () => {
    assert.equal(insidePart(one)?.name, part);
  });
}

test('the warning says whether the work is done', () => {
  const warningOf = (namespace: string, name: string) => {
    const part = insidePart(object('Deployment', { namespace, name }));
    return part && insideWarning(part);
  };
  assert.match(warningOf('knative-serving', 'webhook') ?? '', /has Knative Serving inside/);
  assert.match(warningOf('knative-eventing', 'eventing-webhook') ?? '', /no Knative Eventing yet/);
});
