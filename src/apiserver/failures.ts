/** The one place where what went wrong inside becomes what the client is told. */
import type { Logger } from '#base/log.ts';
import { internalError, serviceUnavailable, StatusError, tooManyRequests } from '#kube/status.ts';
import { RevisionCompacted, StoreUnavailable, TooManyWrites } from '#store/errors.ts';
import { tooOld } from '#apiserver/verbs/watch.ts';

const RETRY_AFTER_SECONDS = 1;

export function asStatusError(error: unknown, logger: Logger): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof RevisionCompacted) return tooOld(error);
  if (error instanceof StoreUnavailable) return serviceUnavailable(error.message);
  if (error instanceof TooManyWrites) return tooManyRequests(error.message, RETRY_AFTER_SECONDS);
  logger.error('a request failed for no reason that a client may know', { error });
  return internalError('the request could not be carried out', error);
}
