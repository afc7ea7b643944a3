import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoscalingKeys, findByKeys, INGRESS_CLASS_KEYS, valueByKeys, withoutKeys } from '#knative/labels.ts';

const MIN = 'autoscaling.knative.dev/min-scale';
const OLD_MIN = 'autoscaling.knative.dev/minScale';

test('the form with dashes wins over the older one', () => {
  assert.equal(valueByKeys({ [OLD_MIN]: '1', [MIN]: '2' }, autoscalingKeys.minScale), '2');
  assert.deepEqual(findByKeys({ [OLD_MIN]: '1' }, autoscalingKeys.minScale), { key: OLD_MIN, value: '1' });
});

test('an empty value counts as present', () => {
  assert.equal(valueByKeys({ [OLD_MIN]: '1', [MIN]: '' }, autoscalingKeys.minScale), '');
  assert.equal(valueByKeys({}, autoscalingKeys.minScale), undefined);
  assert.equal(valueByKeys(undefined, autoscalingKeys.minScale), undefined);
});

test('all spellings can be taken away', () => {
  const annotations = {
    'networking.knative.dev/ingress-class': 'x',
    'networking.knative.dev/ingress.class': 'y',
    a: 'b',
  };
  assert.deepEqual(withoutKeys(annotations, INGRESS_CLASS_KEYS), { a: 'b' });
});
