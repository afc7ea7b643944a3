/** What callers hear of a pull while it goes on; layers by the digest of their blob. */
import type { Digest } from '#runtime/image/digest.ts';

export type PullProgress =
  | { readonly phase: 'resolving' }
  | { readonly phase: 'resolved'; readonly digest: Digest; readonly layers: number; readonly bytes: number }
  | { readonly phase: 'downloading'; readonly layer: Digest; readonly bytes: number; readonly totalBytes: number }
  | { readonly phase: 'unpacking'; readonly layer: Digest; readonly bytes: number; readonly totalBytes: number }
  | { readonly phase: 'unpacked'; readonly layer: Digest };
