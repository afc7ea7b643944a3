import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { simulateLives } from '#autoscaler/fixtures/simulation.ts';

const LIVES = 2;

test(`${LIVES} lives of a revision under random traffic and failures`, { timeout: 3_600_000 }, async (context) => {
  const seed = Math.floor(systemClock.random() * 2 ** 31);
  context.diagnostic(`seeds from ${seed}`);
  await simulateLives(seed, LIVES);
});
