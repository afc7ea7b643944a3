import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planScale, type ScalePlan, type ScaleSettings, type ScaleSituation } from '#autoscaler/apply-scale.ts';
import type { ScaleLimits } from '#autoscaler/bounds.ts';

const SETTINGS: ScaleSettings = {
  enableScaleToZero: true,
  stableWindowMs: 60_000,
  gracePeriodMs: 30_000,
  podRetentionMs: 0,
  progressDeadlineMs: 600_000,
  isAlwaysProxied: false,
};
const LIMITS: ScaleLimits = { minScale: 0, maxScale: 0, initialScale: 1, isInitialised: true, reachable: true };
const SITUATION: ScaleSituation = {
  desired: 0,
  limits: LIMITS,
  activity: 'active',
  activityMs: 0,
  isProxyAsked: false,
  proxiedMs: 0,
  isBackedByActivator: true,
  currentReplicas: 1,
};

interface Row {
  readonly name: string;
  readonly in: Partial<ScaleSituation>;
  readonly limits?: Partial<ScaleLimits>;
  readonly settings?: Partial<ScaleSettings>;
  readonly plan: Pick<ScalePlan, 'want' | 'againAfterMs' | 'reasons'> & { readonly scaleTo?: number };
}

const ACTIVE_LONG = { activity: 'active', activityMs: 60_000 } as const;
const INACTIVE = { activity: 'inactive', activityMs: 0 } as const;

const rows: Row[] = [
  { name: 'no decision', in: { desired: -1 }, plan: { want: -1, reasons: ['no-decision'] } },
  { name: 'no decision, inactive', in: { desired: -1, ...INACTIVE }, plan: { want: -1, reasons: ['no-decision'] } },
  {
    name: 'no decision even below the minimum',
    in: { desired: -1 },
    limits: { minScale: 2 },
    plan: { want: -1, reasons: ['no-decision'] },
  },
  { name: 'up', in: { desired: 10 }, plan: { want: 10, scaleTo: 10, reasons: [] } },
  {
    name: 'up from zero',
    in: { desired: 1, ...INACTIVE, currentReplicas: 0 },
    plan: { want: 1, scaleTo: 1, reasons: [] },
  },
  { name: 'as it is', in: { desired: 10, currentReplicas: 10 }, plan: { want: 10, reasons: [] } },
  { name: 'down', in: { desired: 3, currentReplicas: 10 }, plan: { want: 3, scaleTo: 3, reasons: [] } },
  {
    name: 'up to the maximum',
    in: { desired: 10 },
    limits: { maxScale: 8 },
    plan: { want: 8, scaleTo: 8, reasons: ['max-scale'] },
  },
  {
    name: 'down to the minimum',
    in: { ...ACTIVE_LONG, currentReplicas: 10 },
    limits: { minScale: 2 },
    plan: { want: 2, scaleTo: 2, reasons: ['min-scale'] },
  },
  {
    name: 'the minimum holds after the grace period, too',
    in: { ...INACTIVE, activityMs: 100_000, currentReplicas: 10 },
    limits: { minScale: 2 },
    plan: { want: 2, scaleTo: 2, reasons: ['min-scale'] },
  },
  {
    name: 'the initial scale while activating, without a decision',
    in: { desired: -1, activity: 'activating' },
    limits: { initialScale: 5, isInitialised: false },
    plan: { want: 5, scaleTo: 5, reasons: ['initial-scale'] },
  },
  {
    name: 'scaling to zero is off: one pod',
    in: { ...ACTIVE_LONG, currentReplicas: 3 },
    settings: { enableScaleToZero: false },
    plan: { want: 1, scaleTo: 1, reasons: ['scale-to-zero-disabled'] },
  },
  {
    name: 'scaling to zero is off: a sleeping revision comes back',
    in: { ...INACTIVE, activityMs: 500_000, currentReplicas: 0 },
    settings: { enableScaleToZero: false },
    plan: { want: 1, scaleTo: 1, reasons: ['scale-to-zero-disabled'] },
  },
  {
    name: 'scaling to zero is off, but a minimum is set',
    in: ACTIVE_LONG,
    limits: { minScale: 2 },
    settings: { enableScaleToZero: false },
    plan: { want: 2, scaleTo: 2, reasons: ['min-scale'] },
  },
  {
    name: 'scaling to zero is off, while activating without a decision',
    in: { desired: -1, activity: 'activating', currentReplicas: 0 },
    settings: { enableScaleToZero: false },
    plan: { want: 1, scaleTo: 1, reasons: ['scale-to-zero-disabled'] },
  },
  {
    name: 'activating: nothing is taken away',
    in: { activity: 'activating', activityMs: 629_999 },
    plan: { want: -1, againAfterMs: 2, reasons: ['activating'] },
  },
  {
    name: 'activating, without a decision',
    in: { desired: -1, activity: 'activating', activityMs: 1_000 },
    plan: { want: -1, againAfterMs: 629_001, reasons: ['activating'] },
  },
  {
    name: 'activating just as long as it may',
    in: { activity: 'activating', activityMs: 630_000 },
    plan: { want: -1, againAfterMs: 1, reasons: ['activating'] },
  },
  {
    name: 'activation failed',
    in: { activity: 'activating', activityMs: 630_001 },
    plan: { want: 0, scaleTo: 0, reasons: ['activation-failed'] },
  },
  {
    name: 'activation failed by the deadline of the revision',
    in: { activity: 'activating', activityMs: 35_000 },
    settings: { progressDeadlineMs: 4_000 },
    plan: { want: 0, scaleTo: 0, reasons: ['activation-failed'] },
  },
  {
    name: 'activating with load: as many as it takes',
    in: { desired: 4, activity: 'activating', activityMs: 1_000 },
    plan: { want: 4, scaleTo: 4, reasons: [] },
  },
  {
    name: 'idle, but active for less than the stable window: down to one',
    in: { activity: 'active', activityMs: 59_000, currentReplicas: 4 },
    plan: { want: 1, scaleTo: 1, againAfterMs: 1_000, reasons: ['recently-active'] },
  },
  {
    name: 'the stable window of the revision counts',
    in: { activity: 'active', activityMs: 59_000 },
    settings: { stableWindowMs: 6_000 },
    plan: { want: 0, reasons: ['deactivated'] },
  },
  { name: 'idle for the stable window', in: ACTIVE_LONG, plan: { want: 0, reasons: ['deactivated'] } },
  {
    name: 'idle for the stable window, proxied already: looks again',
    in: { ...ACTIVE_LONG, isProxyAsked: true },
    plan: { want: 0, againAfterMs: 3_000, reasons: ['deactivated'] },
  },
  {
    name: 'inactive, but requests still go straight to the pods',
    in: { ...INACTIVE, activityMs: 500_000, isBackedByActivator: false },
    plan: { want: 0, againAfterMs: 1_000, reasons: ['not-behind-activator'] },
  },
  {
    name: 'always proxied: nobody has to be asked',
    in: { ...INACTIVE, activityMs: 30_000, isBackedByActivator: false },
    settings: { isAlwaysProxied: true },
    plan: { want: 0, scaleTo: 0, reasons: ['idle'] },
  },
  {
    name: 'inactive within the grace period',
    in: { ...INACTIVE, activityMs: 29_000, proxiedMs: 29_000 },
    plan: { want: 0, againAfterMs: 1_000, reasons: ['grace-period'] },
  },
  {
    name: 'inactive within the grace period, proxied later',
    in: { ...INACTIVE, activityMs: 29_000, proxiedMs: 10_000 },
    plan: { want: 0, againAfterMs: 20_000, reasons: ['grace-period'] },
  },
  {
    name: 'inactive within the grace period, never proxied',
    in: { ...INACTIVE, activityMs: 1_000 },
    plan: { want: 0, againAfterMs: 30_000, reasons: ['grace-period'] },
  },
  {
    name: 'proxied for longer than the grace period',
    in: { ...INACTIVE, activityMs: 1_000, proxiedMs: 30_000 },
    plan: { want: 0, scaleTo: 0, reasons: ['idle'] },
  },
  {
    name: 'inactive for the grace period',
    in: { ...INACTIVE, activityMs: 30_000, proxiedMs: 5_000 },
    plan: { want: 0, scaleTo: 0, reasons: ['idle'] },
  },
  {
    name: 'the last pod is kept for the retention period',
    in: { ...INACTIVE, activityMs: 40_000, proxiedMs: 500_000 },
    settings: { podRetentionMs: 60_000 },
    plan: { want: 0, againAfterMs: 20_000, reasons: ['pod-retention'] },
  },
  {
    name: 'a retention shorter than the grace period',
    in: { ...INACTIVE, activityMs: 20_000, proxiedMs: 25_000 },
    settings: { podRetentionMs: 10_000 },
    plan: { want: 0, againAfterMs: 5_000, reasons: ['grace-period'] },
  },
  {
    name: 'a retention shorter than the grace period, just over',
    in: { ...INACTIVE, activityMs: 10_000, proxiedMs: 10_000 },
    settings: { podRetentionMs: 10_000 },
    plan: { want: 0, againAfterMs: 20_000, reasons: ['grace-period'] },
  },
  {
    name: 'the retention period is over',
    in: { ...INACTIVE, activityMs: 60_000 },
    settings: { podRetentionMs: 60_000 },
    plan: { want: 0, scaleTo: 0, reasons: ['idle'] },
  },
  {
    name: 'at zero already: nobody is asked and nothing is waited for',
    in: { ...INACTIVE, currentReplicas: 0, isBackedByActivator: false },
    plan: { want: 0, reasons: ['idle'] },
  },
];

for (const { name, in: situation, limits, settings, plan } of rows) {
  test(name, () => {
    const full = { ...SITUATION, ...situation, limits: { ...LIMITS, ...limits } };
    const { scaleTo, ...rest } = plan;
    const action = scaleTo === undefined ? { type: 'none' } : { type: 'scale', replicas: scaleTo };
    const expected = { againAfterMs: undefined, ...rest, action };
    assert.deepEqual({ againAfterMs: undefined, ...planScale(full, { ...SETTINGS, ...settings }) }, expected);
  });
}
