/**
 * The catalogue of what serving's reconcilers fail with. The texts end up in Warning Events `InternalError`, which
 * people and scripts read, so they are Knative's.
 */

/** An object of the name that a child needs is there already and belongs to somebody else. */
export function notOwned(owner: string, child: string): Error {
  return new Error(`${owner} does not own ${child}`);
}

/** `There is an existing Deployment "x" that we do not own.`: the message of a condition, reason NotOwned. */
export function notOwnedMessage(kind: string, name: string): string {
  return `There is an existing ${kind} "${name}" that we do not own.`;
}

export const NOT_OWNED = 'NotOwned';

/** `invalid domain name …`: a domain or tag template gives no host; the Route's traffic gets reason ErrorConfig. */
export class DomainNameError extends Error {
  override readonly name = 'DomainNameError';

  constructor(why: string) {
    super(`domain name error: ${why}`);
  }
}
