/** One repository of one registry, seen with one credential: what every request of a pull is about. */
import type { RegistryCredential } from '#runtime/image/credentials.ts';
import type { ImageReference } from '#runtime/image/reference.ts';

export interface Repository {
  readonly reference: ImageReference;
  readonly credential: RegistryCredential | undefined;
}
