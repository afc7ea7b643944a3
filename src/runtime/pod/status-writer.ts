/**
 * Writes the status of one pod to the API: one write at a time, the latest state, nothing when nothing changed. A pod
 * that is gone from the API is no failure.
 */
import type { Clock } from '#base/clock.ts';
import { deepEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { PodStatus } from '#kube/kinds/core/pod-status.ts';
import { isNotFound } from '#kube/status.ts';

/** After a failed write, the next one comes this much later. */
const RETRY_MS = 200;

export interface StatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pod: Pod;
  /** The status as it should be now, and annotations to set along with it. */
  readonly render: () => { status: PodStatus; annotations: Readonly<Record<string, string>> };
  readonly signal: AbortSignal;
}

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #written: PodStatus | undefined;
  #annotations: Readonly<Record<string, string>> = {};
  #isDirty = false;
  #running: Promise<void> | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#written = options.pod.status;
  }

  /** Has the status written soon. */
  changed(): void {
    this.#isDirty = true;
    this.#running ??= this.#run();
  }

  /** Resolves when everything so far is written. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger, signal } = this.#options;
    await Promise.resolve();
    while (this.#isDirty && !signal.aborted) {
      this.#isDirty = false;
      try {
        await this.#write();
      } catch (error) {
        if (isNotFound(error) || signal.aborted) break;
        logger.warn('the status of a pod was not written, trying again', { error });
        this.#isDirty = true;
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
    this.#running = undefined;
  }

  async #write(): Promise<void> {
    const { client, pod, render } = this.#options;
    const { status, annotations } = render();
    const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name ?? '' };
    const { uid } = pod.metadata;
    const isMarked = !deepEqual(annotations, this.#annotations);
    if (!isMarked && deepEqual(status, this.#written)) return;
    // A write of the status may change metadata too: what belongs together is seen together.
    const metadata = isMarked ? { uid, annotations } : { uid };
    await client.derived.patch(Pod, ref, { type: 'merge', body: { metadata, status }, subresource: 'status' });
    this.#annotations = annotations;
    this.#written = status;
  }
}
