/**
 * How exec and attach end, and how that is told on the error channel. What is told depends on the protocol: version 4
 * says what a kubelet says; version 5 what kube-apiserver makes of that, since it speaks version 4 with the kubelet
 * and gives errors a wrapping of its own; before version 4 it was text, and nothing at all for success.
 */
import { internalError, type Status, type StatusCause } from '#kube/status.ts';

export type StatusForm = 'v5' | 'v4' | 'text';

export type Outcome =
  | { readonly type: 'success' }
  | { readonly type: 'exit'; readonly code: number; readonly command: readonly string[] }
  /** It could not be done; the message says what was tried and why not. */
  | { readonly type: 'failed'; readonly message: string }
  /** It was not begun: what a client of version 4 gets as an HTTP answer. */
  | { readonly type: 'refused'; readonly message: string };

/** Empty when nothing is to be said. */
export function encodeOutcome(outcome: Outcome, form: StatusForm): Buffer {
  if (form !== 'text') return Buffer.from(JSON.stringify(statusOf(outcome, form)));
  return Buffer.from(outcome.type === 'success' ? '' : (statusOf(outcome, 'v4').message ?? ''));
}

/** A Status without kind and version, as it goes over these channels. */
type BareStatus = Omit<Status, 'kind' | 'apiVersion' | 'code'> & { code?: number };

function statusOf(outcome: Outcome, form: 'v5' | 'v4'): BareStatus {
  switch (outcome.type) {
    case 'success':
      return { metadata: {}, status: 'Success' };
    case 'exit':
      return exitStatus(outcome, form);
    case 'failed':
      return bare(internalError(form === 'v5' ? `Internal error occurred: ${outcome.message}` : outcome.message));
    default:
      return bare(internalError(`unable to upgrade connection: ${outcome.message}`));
  }
}

function bare({ status: { metadata, status, message, reason, details, code } }: { status: Status }): BareStatus {
  return { metadata, status, message, reason, details, code };
}

function exitStatus({ code, command }: Outcome & { type: 'exit' }, form: 'v5' | 'v4'): BareStatus {
  const shown =
    form === 'v5'
      ? `command terminated with exit code ${code}`
      : `error executing command [${command.join(' ')}], exit code ${code}`;
  const causes: StatusCause[] = [{ reason: 'ExitCode', message: String(code) }];
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${shown}`,
    reason: 'NonZeroExitCode',
    details: { causes },
  };
}
