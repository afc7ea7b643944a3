/** Who the server takes the caller for: `kubectl auth whoami`. */
import type { Clock } from '#base/clock.ts';
import { SelfSubjectReview } from '#kube/kinds/authentication/self-subject-review.ts';
import { formatTime } from '#kube/time.ts';
import { userInfoOf } from '#apiserver/reviews/user-info.ts';
import { type VirtualKind, virtualKind } from '#apiserver/virtual-kind.ts';

export function selfSubjectReview(clock: Clock): VirtualKind {
  return virtualKind({
    kind: SelfSubjectReview,
    answer: ({ object }, { user }) => ({
      ...object,
      metadata: { ...object.metadata, creationTimestamp: formatTime(clock.now()) },
      status: { userInfo: userInfoOf(user) },
    }),
  });
}
