import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cidr, cidrsOverlap, parseCidr } from '#base/ip.ts';
import { gatewayOf, macOf } from '#runtime/network/bridge.ts';
import { NoFreeRangeError, planNetwork } from '#runtime/network/address-plan.ts';
import { offsetOf, podNetworkAt } from '#runtime/network/pod-network.ts';
import { MAX_LINK_NAME } from '#sys/netlink/link.ts';

const ranges = (...texts: string[]) => texts.map((text) => parseCidr(text) as Cidr);
const stateDir = '/var/lib/pinnace';
const plain = planNetwork({ stateDir, taken: [] });

test('names and ranges follow from the state directory alone', () => {
  assert.deepEqual(planNetwork({ stateDir, taken: [] }), plain);
  assert.match(plain.instance, /^[0-9a-f]{8}$/);
  assert.equal(plain.bridge, `pn${plain.instance}`);
  assert.equal(plain.cgroup, `pinnace-${plain.instance}`);
  assert.match(plain.podCidr, /^10\.\d+\.\d+\.0\/20$/);
  assert.match(plain.serviceCidr, /^10\.\d+\.\d+\.0\/20$/);
  assert.notEqual(planNetwork({ stateDir: '/elsewhere', taken: [] }).podCidr, plain.podCidr);
});

const TAKEN = [
  ['the same pods', [plain.podCidr]],
  ['one Service address', [plain.serviceCidr.replace(/0\/20$/, '9/32')]],
  ['all of 10.0.0.0/8', ['10.0.0.0/8']],
  ['10.0.0.0/8 and 172.16.0.0/12', ['10.0.0.0/8', '172.16.0.0/12']],
  ['all but the benchmark range', ['10.0.0.0/8', '172.16.0.0/12', '100.64.0.0/10', '192.168.0.0/16']],
] as const;

for (const [name, taken] of TAKEN) {
  test(`ranges in use are passed over: ${name}`, () => {
    const plan = planNetwork({ stateDir, taken: ranges(...taken) });
    const [pods, services] = ranges(plan.podCidr, plan.serviceCidr) as [Cidr, Cidr];
    assert.ok(!cidrsOverlap(pods, services));
    for (const other of ranges(...taken)) {
      assert.ok(!cidrsOverlap(pods, other) && !cidrsOverlap(services, other));
    }
  });
}

test('a thousand platforms on one machine find ranges of their own', () => {
  const taken: Cidr[] = [];
  for (let index = 0; index < 1_000; index += 1) {
    const plan = planNetwork({ stateDir: `/platform/${index}`, taken });
    taken.push(...ranges(plan.podCidr, plan.serviceCidr));
  }
  assert.equal(new Set(taken.map(({ base }) => base)).size, 2_000);
});

test('a machine that routes every private address has none left', () => {
  assert.throws(() => planNetwork({ stateDir, taken: ranges('0.0.0.0/1', '128.0.0.0/1') }), NoFreeRangeError);
});

test('kept ranges stay until somebody else has them', () => {
  const kept = { podCidr: '10.1.0.0/20', serviceCidr: '10.1.16.0/20' };
  assert.deepEqual({ ...planNetwork({ stateDir, taken: [], kept }) }, { ...plain, ...kept });
  const moved = planNetwork({ stateDir, taken: ranges('10.1.16.0/24'), kept });
  assert.deepEqual(moved, plain);
});

test('a pod’s names follow from its address and fit', () => {
  const settings = { ...plain, podCidr: '10.200.16.0/20', netnsDir: '/d' };
  assert.deepEqual(podNetworkAt(settings, 4_094), {
    address: '10.200.31.254',
    mac: '0a:58:0a:c8:1f:fe',
    namespace: '/d/10.200.31.254',
    hostLink: `${plain.bridge}-ffe`,
  });
  assert.ok(podNetworkAt(settings, 4_094).hostLink.length <= MAX_LINK_NAME);
  assert.equal(offsetOf(settings.podCidr, '10.200.31.254'), 4_094);
  assert.deepEqual(gatewayOf('10.200.16.0/20'), { address: '10.200.16.1', mac: '0a:58:0a:c8:10:01' });
  assert.equal(macOf('1.2.3.4'), '0a:58:01:02:03:04');
});
