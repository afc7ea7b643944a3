/** The audit log: asks the policy what is to be recorded of a request, and how the file is doing. */
import type { Clock } from '#base/clock.ts';
import { uuid } from '#base/ids.ts';
import type { Logger } from '#base/log.ts';
import type { Metric, MetricRegistry } from '#base/metrics.ts';
import { auditDecision, type AuditedRequest, type AuditPolicy, DEFAULT_AUDIT_POLICY } from '#kube/audit/policy.ts';
import type { Attributes } from '#apiserver/authorize.ts';
import { AuditFile } from '#apiserver/audit/audit-file.ts';
import { RequestAudit } from '#apiserver/audit/request-audit.ts';
import type { User } from '#apiserver/user.ts';

/** Longest identifier that a client may give to its request. */
const MAX_ID_LENGTH = 64;

export interface AuditLogOptions {
  /** A path, or `-` for standard output. */
  readonly file: string;
  readonly policy?: AuditPolicy | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
}

export interface ReceivedRequest {
  /** Absent for a caller that could not be made out. */
  readonly user: User | undefined;
  readonly attributes: Attributes;
  /** Of the API that a resource is asked for in. */
  readonly version: string;
  /** With the query. */
  readonly uri: string;
  readonly userAgent: string;
  readonly sourceAddress: string;
  /** What the client wants it to be called. */
  readonly id: string | undefined;
}

export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #file: AuditFile;
  readonly #events: Metric;
  readonly #levels: Metric;

  constructor(options: AuditLogOptions) {
    const { metrics, logger, file } = options;
    this.#options = options;
    const errors = metrics.counter('apiserver_audit_error_total', 'Events that the audit log lost.');
    this.#events = metrics.counter('apiserver_audit_event_total', 'Events of the audit log.');
    this.#levels = metrics.counter('apiserver_audit_level_total', 'Requests by the level that the policy gave them.');
    this.#file = new AuditFile({ file, logger, errors });
  }

  /** Undefined when the policy wants nothing of it. */
  begin(request: ReceivedRequest): RequestAudit | undefined {
    const { policy = DEFAULT_AUDIT_POLICY, clock } = this.#options;
    const decision = auditDecision(policy, auditedOf(request));
    this.#levels.add(1, { level: decision.level });
    if (decision.level === 'None') return undefined;
    const id = request.id !== undefined && request.id.length <= MAX_ID_LENGTH ? request.id : uuid(clock);
    const write = (event: object) => {
      this.#events.add(1);
      this.#file.add(JSON.stringify(event));
    };
    return new RequestAudit({ ...request, id, decision, clock, write });
  }

  /** Resolves when everything so far is written. */
  flush(): Promise<void> {
    return this.#file.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }
}

function auditedOf({ user, attributes }: ReceivedRequest): AuditedRequest {
  const { verb } = attributes;
  if (attributes.type === 'path') return { user, verb, path: attributes.path };
  const { group, resource, subresource = '', namespace = '', name } = attributes;
  return { user, verb, resource: { group, resource, subresource, namespace, name } };
}
