/** A read that must not be older than a version that is not there yet waits a little for it. */
import { plainError } from '#kube/status.ts';
import type { ListOptions } from '#client/transport.ts';
import type { Api } from '#apiserver/api.ts';
import { versionTooLarge } from '#apiserver/errors.ts';
import { checkListOptions, exactRevision, versionError } from '#apiserver/list-options.ts';

/** How long the version may take to come. */
const PATIENCE_MS = 3_000;

/** How often it is looked for. */
const PERIOD_MS = 100;

/** Without `list` the version is that of a single read, whose errors differ. */
export async function awaitRevision(api: Api, version: string | undefined, list?: ListOptions): Promise<void> {
  if (list) checkListOptions(list);
  else if (version && !/^\d+$/.test(version)) throw plainError(versionError(version));
  const wanted = Number(version ?? '0') || 0;
  if (wanted <= api.store.revision || (list && exactRevision(list) !== undefined)) return;
  const never = new AbortController().signal;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += PERIOD_MS) {
    await api.clock.sleep(PERIOD_MS, never);
    if (wanted <= api.store.revision) return;
  }
  throw versionTooLarge(wanted, api.store.revision);
}
