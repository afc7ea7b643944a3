/**
 * How large an object may become. A body has a limit of its own, but patches add up: each may make an object longer by
 * as much as a body holds. What our own controllers write is theirs to bound.
 */
import type { KubeObject } from '#kube/object.ts';
import { plainError } from '#kube/status.ts';
import type { Caller } from '#apiserver/user.ts';

/** As long as a body. */
const MAX_OBJECT_LENGTH = 3 * 1024 * 1024;

/** The refusal is etcd's, which says it under Kubernetes. */
export function demandSize(object: KubeObject, { isOutside }: Caller): void {
  if (isOutside && JSON.stringify(object).length > MAX_OBJECT_LENGTH) {
    throw plainError('etcdserver: request is too large');
  }
}
