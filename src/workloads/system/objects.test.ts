import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiService } from '#workloads/system/objects.ts';

test('the Service of the API, its Endpoints and its slice name one address', () => {
  const here = { address: '127.0.0.1', port: 1 };
  const cluster = { address: '10.96.0.1', port: 443 };
  const facts = { version: '1', nodeName: 'n', api: here, http: here, https: here, local: here, cluster };
  const { service, endpoints, slice } = apiService(facts);
  assert.equal(service.spec.clusterIP, '10.96.0.1');
  assert.equal(endpoints.subsets?.[0]?.addresses?.[0]?.ip, '10.96.0.1');
  assert.deepEqual(slice.endpoints, [{ addresses: ['10.96.0.1'], conditions: { ready: true } }]);
  assert.deepEqual(slice.ports, endpoints.subsets?.[0]?.ports);
  assert.deepEqual(slice.metadata.labels, { 'kubernetes.io/service-name': 'kubernetes' });
});
