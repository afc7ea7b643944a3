import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ActivitySituation, planActivators, planActive, planMode, shownScale } from '#autoscaler/activity.ts';

describe('condition Active', () => {
  const rows: { name: string; in: ActivitySituation; status: string | undefined; reason?: string }[] = [
    {
      name: 'nothing wanted',
      in: { want: 0, ready: 3, threshold: 1, activity: 'active' },
      status: 'False',
      reason: 'NoTraffic',
    },
    {
      name: 'nothing wanted of a failed activation',
      in: { want: 0, ready: 0, threshold: 1, activity: 'activating' },
      status: 'False',
      reason: 'TimedOut',
    },
    {
      name: 'nothing wanted, inactive',
      in: { want: 0, ready: 0, threshold: 1, activity: 'inactive' },
      status: 'False',
      reason: 'NoTraffic',
    },
    {
      name: 'may begin at zero',
      in: { want: -1, ready: 0, threshold: 0, activity: 'activating' },
      status: 'False',
      reason: 'NoTraffic',
    },
    {
      name: 'too few pods',
      in: { want: 2, ready: 1, threshold: 2, activity: 'active' },
      status: 'Unknown',
      reason: 'Queued',
    },
    {
      name: 'too few pods, woken up',
      in: { want: 1, ready: 0, threshold: 1, activity: 'inactive' },
      status: 'Unknown',
      reason: 'Queued',
    },
    {
      name: 'too few pods, no decision',
      in: { want: -1, ready: 0, threshold: 1, activity: 'active' },
      status: 'Unknown',
      reason: 'Queued',
    },
    {
      name: 'too few pods, no decision, activating',
      in: { want: -1, ready: 0, threshold: 1, activity: 'activating' },
      status: 'Unknown',
      reason: 'Queued',
    },
    {
      name: 'too few pods, no decision, inactive',
      in: { want: -1, ready: 0, threshold: 1, activity: 'inactive' },
      status: 'False',
      reason: 'NoTraffic',
    },
    { name: 'enough pods', in: { want: 1, ready: 1, threshold: 1, activity: 'activating' }, status: 'True' },
    { name: 'enough pods, woken up', in: { want: 1, ready: 1, threshold: 1, activity: 'inactive' }, status: 'True' },
    {
      name: 'enough pods, no decision',
      in: { want: -1, ready: 1, threshold: 1, activity: 'activating' },
      status: 'True',
    },
    {
      name: 'enough pods, no decision, inactive',
      in: { want: -1, ready: 1, threshold: 1, activity: 'inactive' },
      status: undefined,
    },
  ];
  for (const { name, in: situation, status, reason } of rows) {
    test(name, () => {
      const planned = planActive(situation);
      assert.equal(planned?.status, status);
      assert.equal(planned && 'reason' in planned ? planned.reason : undefined, reason);
    });
  }

  test('texts', () => {
    const message = (want: number, activity: ActivitySituation['activity']) => {
      const planned = planActive({ want, ready: 0, threshold: 1, activity });
      return planned && 'message' in planned ? planned.message : undefined;
    };
    assert.equal(message(1, 'active'), 'Requests to the target are being buffered as resources are provisioned.');
    assert.equal(message(0, 'active'), 'The target is not receiving traffic.');
    assert.equal(message(0, 'activating'), 'The target could not be activated.');
  });
});

describe('mode', () => {
  const rows = [
    { name: 'pods and capacity', want: 1, ebc: 0, mode: 'Serve' },
    { name: 'pods without capacity', want: 5, ebc: -1, mode: 'Proxy' },
    { name: 'no pods', want: 0, ebc: 10, mode: 'Proxy' },
    { name: 'no decision', want: -1, ebc: 10, mode: 'Proxy' },
  ];
  for (const { name, want, ebc, mode } of rows) test(name, () => assert.equal(planMode(want, ebc), mode));
});

describe('activators', () => {
  const rows = [
    { ready: 0, targetBurstCapacity: 200, activators: 2 },
    { ready: 1, targetBurstCapacity: 200, activators: 3 },
    { ready: 15, targetBurstCapacity: 200, activators: 17 },
    { ready: 5, targetBurstCapacity: -1, activators: 5 },
    { ready: 100, targetBurstCapacity: 0, activators: 2 },
    { ready: 1, targetBurstCapacity: 211, activators: 4 },
  ];
  for (const { ready, targetBurstCapacity, activators } of rows) {
    test(`${ready} ready pods, burst ${targetBurstCapacity}: ${activators}`, () => {
      assert.equal(planActivators(ready, { targetBurstCapacity, total: 100, activatorCapacity: 100 }), activators);
    });
  }
});

describe('the scale that the status shows', () => {
  const rows = [
    { name: 'the first', want: -1, shown: undefined, expected: -1 },
    { name: 'a decision', want: 3, shown: 5, expected: 3 },
    { name: 'no decision hides none', want: -1, shown: 5, expected: 5 },
    { name: 'no decision hides no zero', want: -1, shown: 0, expected: 0 },
    { name: 'still no decision', want: -1, shown: -1, expected: -1 },
  ];
  for (const { name, want, shown, expected } of rows) {
    test(name, () => assert.equal(shownScale(want, shown), expected));
  }
});
