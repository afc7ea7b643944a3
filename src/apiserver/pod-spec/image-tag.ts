/** An image that is named by its content cannot move, whatever tag stands beside the digest. */
const DIGEST = /@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

export function isDigestReference(image: string): boolean {
  return DIGEST.test(image);
}
