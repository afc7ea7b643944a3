/** TokenReview: whose a token is, for servers in pods that are shown one. */
import { TokenReview } from '#kube/kinds/authentication/token-review.ts';
import { badRequest } from '#kube/status.ts';
import { userInfoOf } from '#apiserver/reviews/user-info.ts';
import type { ServiceAccountTokens } from '#apiserver/tokens/service-account-tokens.ts';
import { type VirtualKind, virtualKind } from '#apiserver/virtual-kind.ts';

export function tokenReviews(tokens: ServiceAccountTokens): VirtualKind {
  return virtualKind({
    kind: TokenReview,
    answer: ({ object }) => ({ ...object, status: statusOf(tokens, object.spec) }),
  });
}

function statusOf(
  tokens: ServiceAccountTokens,
  { token = '', audiences = [] }: TokenReview['spec'],
): NonNullable<TokenReview['status']> {
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const found = tokens.authenticate(token, audiences.length > 0 ? audiences : undefined);
  if (!found.user) return { user: {}, error: found.error };
  return { authenticated: true, user: userInfoOf(found.user), audiences: [...found.audiences] };
}
