import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pod, service } from '#testing/objects.ts';
import { isSelected, planSlices, planSubsets, selectsPods } from '#workloads/endpoints/plan.ts';

const web = service('web', {
  selector: { app: 'x' },
  ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'named' }],
});
const ports = [{ name: 'named', containerPort: 8080 }];

test('ready pods are addresses, others notReadyAddresses, ending and finished ones absent', () => {
  const pods = [
    pod({ name: 'b', ip: '10.0.0.3', readySince: 0, ports }),
    pod({ name: 'a', ip: '10.0.0.2', readySince: 0, ports, node: 'n' }),
    pod({ name: 'c', ip: '10.0.0.4', ports }),
    pod({ name: 'd', ip: '10.0.0.5', readySince: 0, ports, isEnding: true }),
    pod({ name: 'e', ip: '10.0.0.6', readySince: 0, ports, phase: 'Succeeded' }),
    pod({ name: 'f', readySince: 0, ports }),
  ];
  const [subset, ...rest] = planSubsets(web, pods);
  assert.deepEqual(rest, []);
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    ['10.0.0.2', '10.0.0.3'],
  );
  assert.deepEqual(subset?.addresses?.[0]?.targetRef, { kind: 'Pod', namespace: 'a', name: 'a', uid: 'uid-a' });
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ ip }) => ip),
    ['10.0.0.4'],
  );
  assert.deepEqual(subset?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
});

test('a port that a pod does not name leaves the pod out; pods with other numbers make a subset of their own', () => {
  const pods = [
    pod({ name: 'a', ip: '10.0.0.2', readySince: 0, ports }),
    pod({ name: 'b', ip: '10.0.0.3', readySince: 0, ports: [{ name: 'named', containerPort: 9090 }] }),
    pod({ name: 'c', ip: '10.0.0.4', readySince: 0 }),
  ];
  assert.deepEqual(
    planSubsets(web, pods).map((one) => [one.ports?.[0]?.port, one.addresses?.length]),
    [
      [8080, 1],
      [9090, 1],
    ],
  );
});

test('slices keep ending pods with their conditions, a hundred to a slice', () => {
  const [slice] = planSlices(web, [pod({ name: 'a', ip: '10.0.0.2', readySince: 0, ports, isEnding: true })]);
  assert.deepEqual(slice?.endpoints[0]?.conditions, { ready: false, serving: true, terminating: true });
  const many = Array.from({ length: 250 }, (_, index) =>
    pod({ name: `p${index}`, ip: `10.0.1.${index}`, readySince: 0, ports }),
  );
  assert.deepEqual(
    planSlices(web, many).map(({ endpoints }) => endpoints.length),
    [100, 100, 50],
  );
});

test('Services without a selector and ExternalNames have no endpoints of their own', () => {
  assert.ok(!selectsPods(service('s', {})));
  assert.ok(!selectsPods(service('s', { type: 'ExternalName', selector: { app: 'x' } })));
  assert.ok(selectsPods(web));
  assert.ok(!isSelected(web, pod({ name: 'a', labels: { app: 'y' } })));
});
