/** Who the server takes the caller for: `kubectl auth whoami`. */
import type { Clock } from '#base/clock.ts';
import { SelfSubjectReview } from '#kube/kinds/authentication/self-subject-review.ts';
import type { UserInfo } from '#kube/kinds/authentication/user-info.ts';
import { formatTime } from '#kube/time.ts';
import type { User } from '#apiserver/user.ts';
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

/** As reviews show a user: what is empty is left out. */
function userInfoOf({ name, uid, groups, extra }: User): UserInfo {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    ...(extra && Object.keys(extra).length > 0
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }
      : {}),
  };
}
