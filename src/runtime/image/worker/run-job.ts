/** What each kind of job does. Nothing here knows that it runs in a thread of its own. */
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { loadArchive } from '#runtime/image/archive/load.ts';
import { downloadBlob } from '#runtime/image/registry/download.ts';
import { BlobWriter, hasBlob, isIntact } from '#runtime/image/store/blobs.ts';
import { storeLayout } from '#runtime/image/store/layout.ts';
import { unpackLayer } from '#runtime/image/unpack/unpack-layer.ts';
import type { LayerFacts } from '#runtime/image/unpack/layer-writer.ts';
import type { RegistryClients } from '#runtime/image/worker/registry-clients.ts';
import type { DownloadJob, ImageJob, JobResult, UnpackJob } from '#runtime/image/worker/jobs.ts';
import { syncFilesystem } from '#sys/sync.ts';

export interface JobContext {
  readonly clock: Clock;
  readonly clients: RegistryClients;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

export async function runJob(job: ImageJob, context: JobContext): Promise<JobResult> {
  if (job.kind === 'unpack') return unpack(job, context);
  if (job.kind === 'load') return loadArchive(job, context);
  if (job.kind === 'verify') return isIntact(storeLayout(job.storeRoot), job.digest);
  if (job.kind === 'download') await download(job, context);
  else if (job.kind === 'sync') syncFilesystem(job.path);
  else for (const path of job.paths) rmSync(path, { recursive: true, force: true });
  return undefined;
}

async function download(job: DownloadJob, { clock, clients, signal, onProgress }: JobContext): Promise<void> {
  const { descriptor, reference, credential } = job;
  const layout = storeLayout(job.storeRoot);
  if (await hasBlob(layout, descriptor)) return;
  await using sink = await BlobWriter.create(layout, clock);
  const client = clients.get(job.registry);
  await downloadBlob({ client, repository: { reference, credential }, descriptor, sink, onProgress }, signal);
  await sink.commit(descriptor.digest);
}

async function unpack(job: UnpackJob, { signal, onProgress }: JobContext): Promise<LayerFacts> {
  const { directory, blob, diffId, lowerDirs, limits } = job;
  await mkdir(directory, { mode: 0o755 });
  try {
    return await unpackLayer({ blob, diffId, root: directory, lowerDirs, limits }, signal, onProgress);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}
