/** Questions that the server answers by itself: who am I, who may do what. */
import type { Clock } from '#base/clock.ts';
import { selfSubjectReview } from '#apiserver/reviews/self-subject-review.ts';
import type { VirtualKind } from '#apiserver/virtual-kind.ts';

export function builtinReviews(clock: Clock): VirtualKind[] {
  return [selfSubjectReview(clock)];
}
