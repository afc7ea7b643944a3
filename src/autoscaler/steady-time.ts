/**
 * Time that never jumps: the wall clock's as it was at the start, carried on by the monotonic clock. Windows and panics
 * go by it, so that setting the machine's clock neither empties nor freezes them.
 */
import type { Clock } from '#base/clock.ts';

export type SteadyTime = () => number;

export function steadyTime(clock: Pick<Clock, 'now' | 'monotonicMs'>): SteadyTime {
  const offset = clock.now() - clock.monotonicMs();
  return () => offset + clock.monotonicMs();
}
