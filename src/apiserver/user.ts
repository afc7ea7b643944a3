/** Who a request comes from, as authentication found out. */

export interface User {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

export const AUTHENTICATED = 'system:authenticated';
const UNAUTHENTICATED = 'system:unauthenticated';
export const MASTERS = 'system:masters';

export const ANONYMOUS: User = { name: 'system:anonymous', groups: [UNAUTHENTICATED] };

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
  /** True for the writes with which the platform itself begins: no webhook is asked about them. */
  readonly isBootstrap?: boolean;
  /** Tells the client something beside the answer: a `Warning` header. */
  warn(text: string): void;
  /** Adds something about the request to the audit log, if there is one. */
  annotate?(key: string, value: string): void;
}
