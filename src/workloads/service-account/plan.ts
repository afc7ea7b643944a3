/** What a Secret that holds a token of a service account must say. Pure. */
import { Secret } from '#kube/kinds/core/secret.ts';
import type { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { annotationsOf, nameOf, namespaceOf, type Stored, uidOf } from '#kube/object.ts';

const TOKEN_TYPE = 'kubernetes.io/service-account-token';
const NAME_ANNOTATION = 'kubernetes.io/service-account.name';
const UID_ANNOTATION = 'kubernetes.io/service-account.uid';

export function holdsToken({ type }: Secret): boolean {
  return type === TOKEN_TYPE;
}

export function accountNameOf(secret: Secret): string {
  return annotationsOf(secret)[NAME_ANNOTATION] ?? '';
}

/** Whether the Secret means this very account; one that names no UID yet means whoever has the name. */
export function isOf(secret: Secret, account: Stored<ServiceAccount>): boolean {
  const uid = annotationsOf(secret)[UID_ANNOTATION] ?? '';
  return accountNameOf(secret) === nameOf(account) && (uid === '' || uid === uidOf(account));
}

export interface TokenSources {
  /** PEM. */
  readonly rootCa: string;
  readonly issue: () => string;
}

/** The Secret with what it lacks; undefined when it lacks nothing. A token that is there stays. */
export function filledSecret(
  secret: Stored<Secret>,
  account: Stored<ServiceAccount>,
  { rootCa, issue }: TokenSources,
): Stored<Secret> | undefined {
  const data = secret.data ?? {};
  const authority = encoded(rootCa);
  const isWhole = data['ca.crt'] === authority && data['namespace'] && data['token'];
  if (isWhole) return undefined;
  const annotations = {
    ...annotationsOf(secret),
    [NAME_ANNOTATION]: nameOf(account),
    [UID_ANNOTATION]: uidOf(account),
  };
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations },
    data: {
      ...data,
      'ca.crt': authority,
      namespace: data['namespace'] || encoded(namespaceOf(secret)),
      token: data['token'] || encoded(issue()),
    },
  };
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}
