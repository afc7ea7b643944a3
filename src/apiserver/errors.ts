/** Errors that only the API server makes, beside the catalogue of `#kube/status.ts`. Texts are kube-apiserver's. */
import { failure, StatusError } from '#kube/status.ts';
import type { KindNames } from '#kube/kind.ts';

/** Failures that the real server gives no reason for, such as Go's own parse errors. */
export function unclassified(message: string, code = 500): StatusError {
  return new StatusError(failure({ code, message }));
}

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
