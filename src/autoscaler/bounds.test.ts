import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { activeThreshold, applyBounds, type ScaleLimits, scaleBounds } from '#autoscaler/bounds.ts';

const FREE: ScaleLimits = { minScale: 0, maxScale: 0, initialScale: 1, isInitialised: true, reachable: true };

describe('bounds', () => {
  const rows: { name: string; desired: number; limits: Partial<ScaleLimits>; scale: number; reasons?: string[] }[] = [
    { name: 'none', desired: 7, limits: {}, scale: 7 },
    { name: 'none, to zero', desired: 0, limits: {}, scale: 0 },
    { name: 'not known yet', desired: -1, limits: {}, scale: 0 },
    { name: 'below the minimum', desired: 0, limits: { minScale: 2 }, scale: 2, reasons: ['min-scale'] },
    { name: 'at the minimum', desired: 2, limits: { minScale: 2 }, scale: 2 },
    { name: 'above the maximum', desired: 9, limits: { maxScale: 8 }, scale: 8, reasons: ['max-scale'] },
    { name: 'at the maximum', desired: 8, limits: { maxScale: 8 }, scale: 8 },
    { name: 'no minimum for what nobody can reach', desired: 0, limits: { minScale: 2, reachable: false }, scale: 0 },
    {
      name: 'but its maximum',
      desired: 9,
      limits: { maxScale: 8, reachable: false },
      scale: 8,
      reasons: ['max-scale'],
    },
    {
      name: 'the initial scale until it was reached',
      desired: 1,
      limits: { initialScale: 3, isInitialised: false },
      scale: 3,
      reasons: ['initial-scale'],
    },
    {
      name: 'an initial scale of two',
      desired: 1,
      limits: { initialScale: 2, isInitialised: false },
      scale: 2,
      reasons: ['initial-scale'],
    },
    { name: 'a minimum of one', desired: 0, limits: { minScale: 1 }, scale: 1, reasons: ['min-scale'] },
    { name: 'and no longer', desired: 1, limits: { initialScale: 3 }, scale: 1 },
    { name: 'more than the initial scale', desired: 5, limits: { initialScale: 3, isInitialised: false }, scale: 5 },
    { name: 'an initial scale of one is no floor', desired: 0, limits: { isInitialised: false }, scale: 0 },
    {
      name: 'no initial scale for what nobody can reach',
      desired: 0,
      limits: { initialScale: 3, isInitialised: false, reachable: false },
      scale: 0,
    },
    {
      name: 'the larger of minimum and initial scale',
      desired: 1,
      limits: { initialScale: 3, isInitialised: false, minScale: 4 },
      scale: 4,
      reasons: ['min-scale'],
    },
    {
      name: 'an initial scale above the maximum, until it was reached',
      desired: 1,
      limits: { initialScale: 5, isInitialised: false, maxScale: 2 },
      scale: 5,
      reasons: ['initial-scale'],
    },
    {
      name: 'and then the maximum',
      desired: 5,
      limits: { initialScale: 5, maxScale: 2 },
      scale: 2,
      reasons: ['max-scale'],
    },
    {
      name: 'a minimum above the maximum',
      desired: 1,
      limits: { minScale: 5, maxScale: 2 },
      scale: 5,
      reasons: ['min-scale'],
    },
    {
      name: 'the maximum where as much as both is wanted',
      desired: 9,
      limits: { minScale: 5, maxScale: 2 },
      scale: 2,
      reasons: ['max-scale'],
    },
  ];
  for (const { name, desired, limits, scale, reasons = [] } of rows) {
    test(name, () => assert.deepEqual(applyBounds(desired, { ...FREE, ...limits }), { scale, reasons }));
  }

  test('what annotations and configuration set', () => {
    assert.deepEqual(scaleBounds({ ...FREE, minScale: 1, maxScale: 3, initialScale: 2, isInitialised: false }), {
      min: 1,
      max: 3,
    });
  });
});

describe('ready pods that make it active', () => {
  const rows: { name: string; limits: Partial<ScaleLimits>; pods: number }[] = [
    { name: 'one', limits: {}, pods: 1 },
    { name: 'the minimum', limits: { minScale: 3 }, pods: 3 },
    { name: 'no minimum for what nobody can reach', limits: { minScale: 3, reachable: false }, pods: 1 },
    { name: 'new: the initial scale', limits: { isInitialised: false, initialScale: 3 }, pods: 3 },
    {
      name: 'new: the larger of minimum and initial scale',
      limits: { isInitialised: false, initialScale: 3, minScale: 4 },
      pods: 4,
    },
    { name: 'new: none when it may begin at zero', limits: { isInitialised: false, initialScale: 0 }, pods: 0 },
    { name: 'begun at zero: one', limits: { initialScale: 0 }, pods: 1 },
    {
      name: 'new: an initial scale above the maximum',
      limits: { isInitialised: false, initialScale: 5, maxScale: 2 },
      pods: 5,
    },
    { name: 'a minimum above the maximum', limits: { minScale: 5, maxScale: 2 }, pods: 5 },
  ];
  for (const { name, limits, pods } of rows) {
    test(name, () => assert.equal(activeThreshold({ ...FREE, ...limits }), pods));
  }
});
