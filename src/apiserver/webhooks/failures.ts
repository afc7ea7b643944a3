/** How a request ends that a webhook refused, or that no webhook could be asked about; the words are Kubernetes'. */
import { badRequest, failure, internalError, StatusError } from '#kube/status.ts';
import type { Refused } from '#apiserver/webhooks/verdict.ts';

/** What a webhook says no with: its own code, reason and details, and its name before its words. */
export function deniedBy(webhook: string, { code, message, reason, details }: Refused): StatusError {
  const subject = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const said = message ?? reason;
  return new StatusError(
    failure({
      code,
      message: said === undefined ? `${subject} without explanation` : `${subject}: ${said}`,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
    }),
  );
}

export function callFailed(webhook: string, why: string): StatusError {
  return internalError(`failed calling webhook ${JSON.stringify(webhook)}: ${why}`);
}

export function dryRunUnsupported(webhook: string): StatusError {
  return badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`);
}

export function nothingToModify(webhook: string): StatusError {
  const what = 'attempted to modify the object, which is not supported for this operation';
  return internalError(`admission webhook ${JSON.stringify(webhook)} ${what}`);
}
