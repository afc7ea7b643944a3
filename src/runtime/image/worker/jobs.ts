/**
 * What image worker threads are asked to do, and the messages that carry it. Everything is plain data: what a job
 * needs is in it, and its result says what the caller cannot see on disk.
 */
import type { RegistryCredential } from '#runtime/image/credentials.ts';
import type { Digest } from '#runtime/image/digest.ts';
import type { PlainImageError } from '#runtime/image/errors.ts';
import type { LayerLimits } from '#runtime/image/limits.ts';
import type { Descriptor } from '#runtime/image/manifest.ts';
import type { RegistrySettings } from '#runtime/image/registry/settings.ts';
import type { ImageReference } from '#runtime/image/reference.ts';
import type { LayerFacts } from '#runtime/image/unpack/layer-writer.ts';

/** Brings one blob into the store; done at once when it is there. */
export interface DownloadJob {
  readonly kind: 'download';
  readonly storeRoot: string;
  readonly registry: RegistrySettings;
  readonly reference: ImageReference;
  readonly credential: RegistryCredential | undefined;
  readonly descriptor: Descriptor;
}

/** Unpacks one layer from its blob into a new directory below `ingest`. */
export interface UnpackJob {
  readonly kind: 'unpack';
  readonly blob: string;
  readonly diffId: Digest;
  /** Does not exist yet. */
  readonly directory: string;
  readonly lowerDirs: readonly string[];
  readonly limits: LayerLimits;
}

/** Reads an archive of images into the store. */
export interface LoadJob {
  readonly kind: 'load';
  readonly storeRoot: string;
  /** A path, or a file descriptor of this process (0 for standard input). */
  readonly source: string | number;
  /** Replaces the name that the archive gives to its only image. */
  readonly name: string | undefined;
}

export interface LoadedImage {
  /** Canonical. */
  readonly name: string;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** Reads a blob again; one that is not what its digest says is deleted. Answers whether it was. */
export interface VerifyJob {
  readonly kind: 'verify';
  readonly storeRoot: string;
  readonly digest: Digest;
}

/** Deletes files and directories. */
export interface RemoveJob {
  readonly kind: 'remove';
  readonly paths: readonly string[];
}

/** Writes the file system of `path` back to its disk. */
export interface SyncJob {
  readonly kind: 'sync';
  readonly path: string;
}

export type ImageJob = DownloadJob | UnpackJob | LoadJob | VerifyJob | RemoveJob | SyncJob;

export interface JobResults {
  download: undefined;
  unpack: LayerFacts;
  load: readonly LoadedImage[];
  verify: boolean;
  remove: undefined;
  sync: undefined;
}

export type JobResult = JobResults[ImageJob['kind']];

export type ToWorker =
  | { readonly type: 'start'; readonly id: number; readonly job: ImageJob }
  | { readonly type: 'cancel'; readonly id: number };

export type FromWorker =
  | { readonly type: 'progress'; readonly id: number; readonly bytes: number }
  | { readonly type: 'done'; readonly id: number; readonly result: JobResult }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainImageError }
  /** The answer to a cancel. */
  | { readonly type: 'cancelled'; readonly id: number };
