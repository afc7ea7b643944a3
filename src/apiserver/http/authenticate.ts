/**
 * Who is asking: by client certificate (the common name is the user, the organisations are the groups), by bearer
 * token, else nobody in particular. A token that is not known is refused, and so is a certificate that nobody here signed or
 * that has expired, unless a token comes with it; a broken or other scheme counts as none.
 */
import type { IncomingMessage } from 'node:http';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { unauthorized } from '#kube/status.ts';
import type { ServiceAccountTokens } from '#apiserver/tokens/service-account-tokens.ts';
import { ANONYMOUS, AUTHENTICATED, CREDENTIAL_ID, type User } from '#apiserver/user.ts';

/** Certificates do not change on a connection. */
const bySocket = new WeakMap<TLSSocket, User | undefined>();

export function authenticate(request: IncomingMessage, tokens: ServiceAccountTokens): User {
  const user = certificateUser(request.socket);
  if (user) return user;
  const token = bearerToken(request.headers.authorization);
  if (token === undefined && presentsCertificate(request.socket)) throw unauthorized();
  if (token === undefined) return ANONYMOUS;
  const { user: bearer } = tokens.authenticate(token);
  if (!bearer) throw unauthorized();
  return bearer;
}

function certificateUser(socket: unknown): User | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  if (bySocket.has(socket)) return bySocket.get(socket);
  const user = socket.authorized ? userOf(socket) : undefined;
  bySocket.set(socket, user);
  return user;
}

function presentsCertificate(socket: unknown): boolean {
  return socket instanceof TLSSocket && 'subject' in socket.getPeerCertificate();
}

function userOf(socket: TLSSocket): User | undefined {
  const { subject, fingerprint256 } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  const names = subject as Readonly<Record<string, string | string[]>> | undefined;
  const name = [names?.['CN'] ?? []].flat()[0];
  if (name === undefined) return undefined;
  const hash = (fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
  const extra = { [CREDENTIAL_ID]: [`X509SHA256=${hash}`] };
  return { name, groups: [...[names?.['O'] ?? []].flat(), AUTHENTICATED], extra };
}

function bearerToken(header: string | undefined): string | undefined {
  const [scheme = '', ...rest] = (header ?? '').trim().split(' ');
  const token = rest.join(' ').trim();
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined;
}
