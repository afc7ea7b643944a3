/** Who a request comes from, as authentication found out. */
import { dnsLabelProblems, dnsSubdomainProblems } from '#kube/names.ts';

export interface User {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

export const AUTHENTICATED = 'system:authenticated';
export const UNAUTHENTICATED = 'system:unauthenticated';
export const MASTERS = 'system:masters';

export const ANONYMOUS: User = { name: 'system:anonymous', groups: [UNAUTHENTICATED] };

/** Which credential it was, among what else is known of a user. */
export const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';

const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';
const SERVICE_ACCOUNTS = 'system:serviceaccounts';

export interface ServiceAccountRef {
  readonly namespace: string;
  readonly name: string;
}

/** The user that a service account is. */
export function serviceAccountUserName({ namespace, name }: ServiceAccountRef): string {
  return `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): string[] {
  return [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`];
}

/** The service account that a user is, if it is one. */
export function serviceAccountOf(userName: string): ServiceAccountRef | undefined {
  if (!userName.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined;
  const [namespace = '', name = '', ...rest] = userName.slice(SERVICE_ACCOUNT_PREFIX.length).split(':');
  const isOne = dnsLabelProblems(namespace).length === 0 && dnsSubdomainProblems(name).length === 0;
  return isOne && rest.length === 0 ? { namespace, name } : undefined;
}

/** One of our own controllers: it may do everything. */
export function systemUser(name: string): User {
  return { name: `system:${name}`, groups: [MASTERS, AUTHENTICATED] };
}

/** What a verb knows of the request beside its target. */
export interface Caller {
  readonly user: User;
  /** The part before the first slash names the field manager of writes that name none. */
  readonly userAgent: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** True for who is no part of the platform: what they write is limited. */
  readonly isOutside?: boolean;
  /** True for the writes with which the platform itself begins: no webhook is asked about them. */
  readonly isBootstrap?: boolean;
  /** Tells the client something beside the answer: a `Warning` header. */
  warn(text: string): void;
  /** Adds something about the request to the audit log, if there is one. */
  annotate?(key: string, value: string): void;
}
