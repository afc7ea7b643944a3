/** Hands a request to the audit log, if there is one, and follows the connection to its end. */
import type { Attributes } from '#apiserver/authorize.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { ApiPath } from '#apiserver/http/path.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import type { User } from '#apiserver/user.ts';

export interface AuditedCaller {
  /** Absent for a caller that could not be made out. */
  readonly user: User | undefined;
  readonly attributes: Attributes;
  readonly path: ApiPath;
}

/** Why the request may go on, or may not. */
export function recordDecision({ api }: HttpApi, { audit, user }: Exchange, attributes: Attributes): void {
  if (!audit) return;
  const { isAllowed, reason } = api.rights.authorizer(user, attributes);
  audit.annotate('authorization.k8s.io/decision', isAllowed ? 'allow' : 'forbid');
  audit.annotate('authorization.k8s.io/reason', reason());
}

export function beginAudit({ audit }: HttpApi, exchange: Exchange, { user, attributes, path }: AuditedCaller): void {
  if (!audit) return;
  const { request, response, userAgent } = exchange;
  const begun = audit.begin({
    user,
    attributes,
    version: path.type === 'resource' ? path.version : '',
    uri: request.url ?? '',
    userAgent,
    sourceAddress: request.socket.remoteAddress ?? '',
    id: exchange.header('audit-id'),
  });
  if (!begun) return;
  exchange.audit = begun;
  response.setHeader('Audit-Id', begun.id);
  response.once('close', () => begun.completed(response.headersSent ? response.statusCode : undefined));
}
