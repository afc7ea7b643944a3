/** The question to a webhook: an AdmissionReview, version v1 (or v1beta1, which has the same members). */
import type { KubeObject } from '#kube/object.ts';
import type { User } from '#apiserver/user.ts';
import type { ReviewVersion } from '#apiserver/webhooks/hook.ts';
import type { Operation, ResourceName } from '#apiserver/webhooks/match.ts';

export interface KindOf {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ReviewedResource {
  readonly kind: KindOf;
  readonly resource: ResourceName;
}

export interface ReviewContent {
  readonly uid: string;
  readonly version: ReviewVersion;
  /** As which resource the webhook's rules mean the request, and as which it was sent. */
  readonly shown: ReviewedResource;
  readonly requested: ReviewedResource;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: Operation;
  readonly user: User;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly isDryRun: boolean;
  readonly options: object | undefined;
}

export function reviewOf(content: ReviewContent): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${content.version}`,
    request: requestOf(content),
  };
}

export function requestOf(content: ReviewContent) {
  const { uid, shown, requested, subresource, namespace, name, operation, user } = content;
  return {
    uid,
    kind: shown.kind,
    resource: shown.resource,
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: requested.kind,
    requestResource: requested.resource,
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: userInfoOf(user),
    object: content.object ?? null,
    oldObject: content.oldObject ?? null,
    dryRun: content.isDryRun,
    options: content.options ?? null,
  };
}

function userInfoOf({ name, uid, groups, extra }: User): object {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined ? {} : { extra }),
  };
}
