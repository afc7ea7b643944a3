import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { playTraces } from '#autoscaler/fixtures/traces.ts';

const TRACES = 20_000;

test(`the reference model agrees over ${TRACES} random traces`, (context) => {
  const seed = Math.floor(systemClock.random() * 2 ** 31);
  context.diagnostic(`seed ${seed}`);
  playTraces(seed, TRACES);
});
