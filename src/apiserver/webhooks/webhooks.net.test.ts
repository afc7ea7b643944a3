/** Admission webhooks that are really called: what they are asked, and what their answers do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { typed } from '#kube/kind.ts';
import { patching } from '#testing/webhook-server.ts';
import {
  configMap,
  mutating,
  namespace,
  ofConfigMaps,
  refusalOf,
  startWebhookWorld,
  validating,
} from '#testing/webhook-world.ts';

describe('what a webhook is asked', () => {
  test('a creation, an update and a deletion', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    await validating(world, 'seen', { clientConfig: hook.clientConfig('/check/') });
    await world.client.create(ConfigMap, configMap('a', { x: '1' }), { fieldManager: 'me' });
    await world.client.update(ConfigMap, configMap('a', { x: '2' }), { dryRun: true });
    await world.client.delete(ConfigMap, { namespace, name: 'a' }, { propagationPolicy: 'Background' });
    const [created, updated, deleted] = hook.questions;
    assert.deepEqual(hook.paths, Array(3).fill('/check?timeout=10s'));
    const resource = { group: '', version: 'v1', resource: 'configmaps' };
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
    const { uid, object, ...rest } = created ?? {};
    assert.match(uid ?? '', /^[0-9a-f-]{36}$/);
    assert.deepEqual(object?.['data'], { x: '1' });
    assert.deepEqual(rest, {
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: 'a',
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'eve', groups: ['makers', 'system:authenticated'] },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
    });
    assert.equal(updated?.operation, 'UPDATE');
    assert.equal(updated?.dryRun, true);
    assert.deepEqual(updated?.object?.['data'], { x: '2' });
    assert.deepEqual(updated?.oldObject?.['data'], { x: '1' });
    assert.deepEqual(updated?.options, { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] });
    assert.equal(deleted?.operation, 'DELETE');
    assert.equal(deleted?.object, null);
    assert.deepEqual(deleted?.oldObject?.['data'], { x: '1' });
    assert.equal(deleted?.options['propagationPolicy'], 'Background');
  });

  test('only about objects and namespaces that its selectors choose', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    const clientConfig = hook.clientConfig();
    await validating(
      world,
      'chosen',
      { clientConfig, objectSelector: { matchLabels: { watched: 'yes' } } },
      { clientConfig, namespaceSelector: { matchLabels: { team: 'b' } } },
      { clientConfig, namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] } },
    );
    await world.client.create(ConfigMap, configMap('a'));
    assert.equal(hook.questions.length, 1);
    await world.client.create(ConfigMap, configMap('b', {}, { watched: 'yes' }));
    assert.equal(hook.questions.length, 3);
    await world.client.update(ConfigMap, configMap('b'));
    assert.equal(hook.questions.length, 5, 'the old object counts too');
  });

  test('an object in the version of the rule', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({ answer: () => patching({ op: 'add', path: '/note', value: 'from the webhook' }) });
    const rules = [{ ...ofConfigMaps, apiGroups: ['events.k8s.io'], resources: ['events'] }];
    const clientConfig = hook.clientConfig();
    await mutating(world, 'equivalent', { clientConfig, rules }, { clientConfig, rules, matchPolicy: 'Exact' });
    const metadata = { namespace, name: 'e' };
    const event = {
      metadata,
      involvedObject: { namespace },
      message: 'from the client',
      reason: 'Tried',
      type: 'Normal',
    };
    const created = await world.client.create(Event, typed(Event, event));
    assert.equal(created.message, 'from the webhook');
    assert.equal(hook.questions.length, 1, 'under Exact it is not asked');
    const [asked] = hook.questions;
    assert.deepEqual(asked?.kind, { group: 'events.k8s.io', version: 'v1', kind: 'Event' });
    assert.deepEqual(asked?.requestKind, { group: '', version: 'v1', kind: 'Event' });
    assert.deepEqual(asked?.requestResource, { group: '', version: 'v1', resource: 'events' });
    assert.equal(asked?.object?.['apiVersion'], 'events.k8s.io/v1');
    assert.equal(asked?.object?.['note'], 'from the client');
  });

  test('only about requests that meet its conditions', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    const clientConfig = hook.clientConfig();
    const conditions = (...expressions: string[]) => ({
      clientConfig,
      matchConditions: expressions.map((expression, position) => ({ name: `c${position}`, expression })),
    });
    await validating(
      world,
      'conditions',
      conditions("request.operation == 'CREATE'", "object.data['x'] == '1'"),
      conditions("'makers' in request.userInfo.groups && request.namespace == 'default'"),
      conditions('oldObject != null'),
      { ...conditions("object.data['absent'] == '1'"), failurePolicy: 'Ignore' },
    );
    await world.client.create(ConfigMap, configMap('a', { x: '1' }));
    assert.equal(hook.questions.length, 2);
    await world.client.update(ConfigMap, configMap('a', { x: '2' }));
    assert.equal(hook.questions.length, 4);
  });

  test('a condition that cannot be told is a refusal under Fail', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    const matchConditions = [{ name: 'c', expression: "object.data['absent'] == '1'" }];
    await validating(world, 'unknown', { clientConfig: hook.clientConfig(), matchConditions });
    const { message, code } = await refusalOf(world.client.create(ConfigMap, configMap('a', { x: '1' })));
    const why = "expression 'object.data['absent'] == '1'' resulted in error: no such key: absent";
    assert.equal(message, `configmaps "a" is forbidden: ${why}`);
    assert.equal(code, 403);
  });

  test('conditions that are none are refused', async () => {
    await using world = await startWebhookWorld();
    const clientConfig = { url: 'https://none.invalid' };
    const matchConditions = ['object.', "'text'", 'nothing == 1'].map((expression, at) => ({
      name: `c${at}`,
      expression,
    }));
    const { message } = await refusalOf(validating(world, 'wrong', { clientConfig, matchConditions }));
    assert.match(message, /matchConditions\[0\]\.expression: Invalid value: "object\.": compilation failed: ERROR/);
    assert.match(message, /matchConditions\[1\]\.expression: .*must evaluate to bool but got string/);
    assert.match(message, /undeclared reference to 'nothing'/);
  });

  test('a scale as a Scale, whose number it may change', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({ answer: () => patching({ op: 'replace', path: '/spec/replicas', value: 7 }) });
    const rules = [{ ...ofConfigMaps, apiGroups: ['apps'], resources: ['deployments/scale'] }];
    await mutating(world, 'scale', { clientConfig: hook.clientConfig(), rules });
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    const ref = { namespace, name: 'd' };
    await world.client.create(Deployment, typed(Deployment, { metadata: ref, spec }));
    assert.equal(hook.questions.length, 0);
    await world.client.patch(Deployment, ref, { type: 'merge', body: { spec: { replicas: 3 } }, subresource: 'scale' });
    const [{ kind, subResource, resource, object } = {} as never] = hook.questions;
    assert.deepEqual(kind, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
    assert.deepEqual(resource, { group: 'apps', version: 'v1', resource: 'deployments' });
    assert.equal(subResource, 'scale');
    assert.deepEqual(object?.['spec'], { replicas: 3 });
    assert.equal((await world.client.get(Deployment, ref)).spec.replicas, 7);
  });

  test('nothing about configurations of webhooks', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({ answer: () => ({ allowed: false }) });
    const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }];
    await validating(world, 'greedy', { clientConfig: hook.clientConfig(), rules });
    await world.client.delete(ValidatingWebhookConfiguration, { name: 'greedy' });
    await world.client.create(ConfigMap, configMap('a'));
    assert.equal(hook.questions.length, 0);
  });
});

describe('changes', () => {
  test('are made in the order of names, each on what was before, and defaulted', async () => {
    await using world = await startWebhookWorld();
    const second = await world.hook({
      answer: ({ object }) => {
        const data = object?.['data'] as Record<string, string>;
        return patching({ op: 'add', path: '/data/second', value: `after ${data['first']}` });
      },
    });
    const first = await world.hook({ answer: () => patching({ op: 'add', path: '/data', value: { first: 'b' } }) });
    await mutating(world, 'z-later', { clientConfig: second.clientConfig() });
    await mutating(world, 'a-sooner', { clientConfig: first.clientConfig() });
    const created = await world.client.create(ConfigMap, configMap('a', { x: '1' }));
    assert.deepEqual(created.data, { first: 'b', second: 'after b' });
    assert.deepEqual((await world.client.get(ConfigMap, { namespace, name: 'a' })).data, created.data);
  });

  test('bring back who wants to see the object again, once', async () => {
    await using world = await startWebhookWorld();
    const eager = await world.hook();
    const late = await world.hook({ answer: () => patching({ op: 'add', path: '/data/late', value: 'x' }) });
    await mutating(
      world,
      'again',
      { clientConfig: eager.clientConfig(), reinvocationPolicy: 'IfNeeded' },
      { clientConfig: late.clientConfig(), reinvocationPolicy: 'IfNeeded' },
    );
    await world.client.create(ConfigMap, configMap('a', { x: '1' }));
    assert.equal(eager.questions.length, 2);
    assert.deepEqual(eager.questions[1]?.object?.['data'], { x: '1', late: 'x' });
    assert.equal(late.questions.length, 1, 'nothing changed after it');
  });

  test('cannot break an object: unknown members go, wrong types are a 500, checks follow', async () => {
    await using world = await startWebhookWorld();
    const answers = [
      patching({ op: 'add', path: '/extra', value: 1 }, { op: 'add', path: '/metadata/managedFields', value: [] }),
      patching({ op: 'add', path: '/data', value: 'text' }),
      patching({ op: 'add', path: '/data', value: { 'bad key!': 'x' } }),
      patching({ op: 'replace', path: '/absent/member', value: 1 }),
    ];
    const hook = await world.hook({ answer: () => answers.shift() ?? { allowed: true } });
    await mutating(world, 'breaker', { clientConfig: hook.clientConfig(), failurePolicy: 'Ignore' });
    const taken = await world.client.create(ConfigMap, configMap('a', { x: '1' }));
    assert.equal('extra' in taken, false);
    assert.equal(taken.metadata.managedFields?.length, 1);
    assert.equal((await refusalOf(world.client.create(ConfigMap, configMap('b')))).code, 500);
    assert.equal((await refusalOf(world.client.create(ConfigMap, configMap('c')))).code, 422);
    assert.match(
      (await refusalOf(world.client.create(ConfigMap, configMap('d')))).message,
      /^Internal error occurred: the patch of admission webhook "m0\.breaker\.example\.com" does not apply/,
    );
  });

  test('of a deletion are refused', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({ answer: () => patching({ op: 'add', path: '/data', value: {} }) });
    const rules = [{ ...ofConfigMaps, operations: ['DELETE'] }];
    await world.client.create(ConfigMap, configMap('a'));
    await mutating(world, 'deletion', { clientConfig: hook.clientConfig(), rules });
    const { message } = await refusalOf(world.client.delete(ConfigMap, { namespace, name: 'a' }));
    assert.match(message, /attempted to modify the object, which is not supported for this operation$/);
  });
});

describe('refusals', () => {
  test('carry the status of the webhook, under its name', async () => {
    await using world = await startWebhookWorld();
    const status = { code: 418, message: 'no tea', reason: 'Teapot', details: { causes: [{ field: 'spec.tea' }] } };
    const answers = [{ status }, { status: { reason: 'NotToday' } }, {}];
    const hook = await world.hook({ answer: () => ({ allowed: false, ...answers.shift() }) });
    await validating(world, 'strict', { clientConfig: hook.clientConfig() });
    const refused = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.deepEqual(refused.status, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'admission webhook "v0.strict.example.com" denied the request: no tea',
      reason: 'Teapot',
      details: { causes: [{ field: 'spec.tea' }] },
      code: 418,
    });
    const byReason = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.equal(byReason.message, 'admission webhook "v0.strict.example.com" denied the request: NotToday');
    const bare = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.equal(bare.message, 'admission webhook "v0.strict.example.com" denied the request without explanation');
    assert.equal(bare.code, 400);
    assert.equal(await world.client.find(ConfigMap, { namespace, name: 'a' }), undefined);
  });

  test('come from the first in order, warnings from all', async () => {
    await using world = await startWebhookWorld();
    const no = await world.hook({ answer: () => ({ allowed: false, warnings: ['first'] }) });
    const neither = await world.hook({ answer: () => ({ allowed: false, warnings: ['second'] }) });
    await validating(world, 'two', { clientConfig: no.clientConfig() }, { clientConfig: neither.clientConfig() });
    const { message } = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.match(message, /"v0\.two\.example\.com"/);
    assert.deepEqual(world.warnings.toSorted(), ['first', 'second']);
  });

  test('a dry run is no business of who has effects elsewhere', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    await validating(world, 'effects', { clientConfig: hook.clientConfig() });
    // Validation no longer lets such a webhook in; one that is stored from before is met here.
    const stored = world.api.store.get('validatingwebhookconfigurations.admissionregistration.k8s.io', {
      name: 'effects',
    });
    assert(stored);
    const webhooks = [{ ...(stored.object as ValidatingWebhookConfiguration).webhooks?.[0], sideEffects: 'Some' }];
    await world.api.store.write({
      resource: 'validatingwebhookconfigurations.admissionregistration.k8s.io',
      ref: { name: 'effects' },
      expected: stored.revision,
      object: { ...stored.object, metadata: { ...stored.object.metadata }, webhooks } as never,
      durability: 'durable',
    });
    const { message } = await refusalOf(world.client.create(ConfigMap, configMap('a'), { dryRun: true }));
    assert.equal(message, 'admission webhook "v0.effects.example.com" does not support dry run');
    assert.equal(hook.questions.length, 0);
    await world.client.create(ConfigMap, configMap('a'));
    assert.equal(hook.questions.length, 1);
  });
});
