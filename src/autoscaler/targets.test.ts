import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveTarget, type TargetDefaults, type TargetRequest } from '#autoscaler/targets.ts';

const DEFAULTS: TargetDefaults = {
  containerConcurrencyTargetFraction: 0.7,
  containerConcurrencyTargetDefault: 100,
  requestsPerSecondTargetDefault: 200,
};

interface Row {
  readonly name: string;
  readonly request: Partial<TargetRequest>;
  readonly defaults?: Partial<TargetDefaults>;
  readonly expected: { readonly target: number; readonly total: number };
}

const rows: Row[] = [
  { name: 'no limit: the default', request: {}, expected: { total: 100, target: 70 } },
  { name: 'a hard limit is the total', request: { containerConcurrency: 10 }, expected: { total: 10, target: 7 } },
  { name: 'a target without a limit', request: { target: 10 }, expected: { total: 10, target: 7 } },
  {
    name: 'a target of 10 used in full',
    request: { target: 10, utilizationPercentage: 100 },
    expected: { total: 10, target: 10 },
  },
  {
    name: 'a target below the limit',
    request: { target: 5, containerConcurrency: 10 },
    expected: { total: 5, target: 3.5 },
  },
  {
    name: 'a target above the limit',
    request: { target: 50, containerConcurrency: 10 },
    expected: { total: 10, target: 7 },
  },
  { name: 'rps: the default', request: { metric: 'rps' }, expected: { total: 200, target: 140 } },
  { name: 'rps: a target', request: { metric: 'rps', target: 50 }, expected: { total: 50, target: 35 } },
  {
    name: 'rps: the hard limit plays no part',
    request: { metric: 'rps', target: 50, containerConcurrency: 1 },
    expected: { total: 50, target: 35 },
  },
  {
    name: 'rps: the ConfigMap percentage plays no part',
    request: { metric: 'rps' },
    defaults: { containerConcurrencyTargetFraction: 1 },
    expected: { total: 200, target: 140 },
  },
  {
    name: 'rps: the annotation does',
    request: { metric: 'rps', utilizationPercentage: 50 },
    expected: { total: 200, target: 100 },
  },
  {
    name: 'another default total',
    request: {},
    defaults: { containerConcurrencyTargetDefault: 10 },
    expected: { total: 10, target: 7 },
  },
  {
    name: 'another default share',
    request: {},
    defaults: { containerConcurrencyTargetFraction: 0.5 },
    expected: { total: 100, target: 50 },
  },
  {
    name: 'another rps default',
    request: { metric: 'rps' },
    defaults: { requestsPerSecondTargetDefault: 10 },
    expected: { total: 10, target: 7 },
  },
  {
    name: 'never below a hundredth',
    request: { target: 0.01, utilizationPercentage: 1 },
    expected: { total: 0.01, target: 0.01 },
  },
];

for (const { name, request, defaults, expected } of rows) {
  test(name, () => {
    const answer = resolveTarget(
      { metric: 'concurrency', containerConcurrency: 0, ...request },
      { ...DEFAULTS, ...defaults },
    );
    assert.equal(answer.total, expected.total);
    assert.ok(Math.abs(answer.target - expected.target) < 1e-9, `${answer.target}`);
  });
}
