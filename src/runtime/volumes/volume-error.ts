/** Why a volume cannot be shown, in the kubelet's words: Event FailedMount. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}
