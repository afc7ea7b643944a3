/** Questions that the server answers by itself: who am I, who may do what. */
import type { Clock } from '#base/clock.ts';
import type { Rights } from '#apiserver/rbac/rights.ts';
import { accessReviews } from '#apiserver/reviews/access-reviews.ts';
import { selfSubjectReview } from '#apiserver/reviews/self-subject-review.ts';
import { selfSubjectRulesReview } from '#apiserver/reviews/self-subject-rules-review.ts';
import type { VirtualKind } from '#apiserver/virtual-kind.ts';

export interface ReviewOptions {
  readonly clock: Clock;
  readonly rights: Rights;
}

export function builtinReviews({ clock, rights }: ReviewOptions): VirtualKind[] {
  return [selfSubjectReview(clock), ...accessReviews(rights.authorizer), selfSubjectRulesReview(rights)];
}
