/** Errors that only the API server makes, beside the catalogue of `#kube/status.ts`. Texts are kube-apiserver's. */
import { expired, failure, plainError, StatusError } from '#kube/status.ts';
import type { KindNames } from '#kube/kind.ts';

export function namespaceTerminating(kind: KindNames, name: string, namespace: string): StatusError {
  const subject = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ];
  return new StatusError(
    failure({
      code: 403,
      reason: 'Forbidden',
      message: `${subject} "${name}" is forbidden: ${why}`,
      details: { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, causes },
    }),
  );
}

/** A resourceVersion that is not a number, as Go says it. */
export function badVersionNumber(text: string): string {
  return `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
}

/** An exact list of a version that is no longer remembered. */
export function versionForgotten(): StatusError {
  return expired('The resourceVersion for the provided list is too old.');
}

/** A version that was asked for is not there yet: try again soon. */
export function versionTooLarge(wanted: number, current: number): StatusError {
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return new StatusError(
    failure({
      code: 504,
      reason: 'Timeout',
      message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
      details: { causes, retryAfterSeconds: 1 },
    }),
  );
}

export function futureRevision(): StatusError {
  return plainError('etcdserver: mvcc: required revision is a future revision');
}
