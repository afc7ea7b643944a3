/**
 * Downloads one blob into a sink: digest and size are checked while the bytes pass, and a connection that breaks is
 * taken up again where it ended. A download that makes progress may break any number of times; one that does not
 * gives up after `MAX_ATTEMPTS`.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { backoffDelayMs } from '#base/backoff.ts';
import { type Digest, Digester } from '#runtime/image/digest.ts';
import { digestMismatch, ImageError, isImageError, sizeMismatch } from '#runtime/image/errors.ts';
import { MAX_ATTEMPTS } from '#runtime/image/limits.ts';
import type { Descriptor } from '#runtime/image/manifest.ts';
import type { RegistryClient } from '#runtime/image/registry/client.ts';
import { bodyChunks } from '#runtime/image/registry/http.ts';
import type { Repository } from '#runtime/image/registry/repository.ts';

export interface BlobSink {
  write(chunk: Buffer): Promise<void>;
  /** Forgets what was written: the blob begins anew. */
  reset(): Promise<void>;
}

export interface Download {
  readonly client: RegistryClient;
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  readonly sink: BlobSink;
  /** Told the bytes that are there so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

const PAUSE = { baseMs: 200, maxMs: 5_000 };

export async function downloadBlob(download: Download, signal: AbortSignal): Promise<void> {
  const state = new Progress(download);
  const { clock } = download.client;
  let failures = 0;
  while (!state.complete) {
    const before = state.received;
    try {
      await state.attempt(signal);
    } catch (error) {
      if (!isImageError(error) || !error.transient) throw error;
      failures = state.received > before ? 1 : failures + 1;
      if (failures >= MAX_ATTEMPTS) throw error;
      await clock.sleep(backoffDelayMs(PAUSE, failures - 1) * (0.5 + clock.random() / 2), signal);
    }
  }
  state.verify();
}

class Progress {
  readonly #download: Download;
  #digester: Digester;
  received = 0;
  complete = false;

  constructor(download: Download) {
    this.#download = download;
    this.#digester = new Digester(download.descriptor.digest);
  }

  async attempt(signal: AbortSignal): Promise<void> {
    const { client, repository, descriptor, sink, onProgress } = this.#download;
    const { response, offset } = await client.blob(repository, { descriptor, offset: this.received }, signal);
    if (offset !== this.received) await this.#restart();
    for await (const chunk of bodyChunks(response, client.clock, signal)) {
      this.received += chunk.length;
      if (this.received > descriptor.size)
        throw sizeMismatch(descriptor.size, this.received, blobName(descriptor.digest));
      this.#digester.update(chunk);
      await sink.write(chunk);
      onProgress?.(this.received);
    }
    if (this.received === descriptor.size) this.complete = true;
    else if (!hasKnownEnd(response.headers)) throw endedEarly(descriptor.digest);
    else throw sizeMismatch(descriptor.size, this.received, blobName(descriptor.digest));
  }

  verify(): void {
    const { digest } = this.#download.descriptor;
    const got = this.#digester.finish();
    if (got !== digest) throw digestMismatch(digest, got, blobName(digest));
  }

  async #restart(): Promise<void> {
    await this.#download.sink.reset();
    this.#digester = new Digester(this.#download.descriptor.digest);
    this.received = 0;
  }
}

/** A body that merely ends with its connection may have been cut short. */
function hasKnownEnd(headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function endedEarly(digest: Digest): ImageError {
  return new ImageError('ConnectionLost', `${blobName(digest)}: unexpected EOF`);
}

function blobName(digest: Digest): string {
  return `blob ${digest}`;
}
