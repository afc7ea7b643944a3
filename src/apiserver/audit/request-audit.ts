/**
 * One request on its way into the audit log. Levels add up: who and what always, the body that was sent from `Request`
 * on, the answer under `RequestResponse`. Of what is confidential nothing is quoted below `Request`, not even by the
 * words of an error, which may repeat what was sent.
 */
import type { Clock } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import type { AuditDecision, AuditLevel, AuditStage } from '#kube/audit/policy.ts';
import type { Status } from '#kube/status.ts';
import { formatMicroTime } from '#kube/time.ts';
import { isConfidential } from '#apiserver/confidential.ts';
import type { ReceivedRequest } from '#apiserver/audit/audit-log.ts';
import type { User } from '#apiserver/user.ts';

/** A longer event loses its bodies. */
const MAX_EVENT_BYTES = 100 * 1024;
const MAX_USER_AGENT_LENGTH = 1_024;
const MAX_URI_LENGTH = 8 * 1024;

export interface RequestAuditOptions extends Omit<ReceivedRequest, 'id'> {
  readonly id: string;
  readonly decision: AuditDecision;
  readonly clock: Clock;
  readonly write: (event: object) => void;
}

type Recorded = Readonly<Record<string, unknown>>;

export class RequestAudit {
  readonly id: string;
  readonly #options: RequestAuditOptions;
  readonly #received: number;
  readonly #annotations: Record<string, string> = {};
  #reference: Recorded | undefined;
  #impersonated: User | undefined;
  #requestObject: unknown;
  #responseObject: unknown;
  #status: Recorded | undefined;
  #isOver = false;

  constructor(options: RequestAuditOptions) {
    this.id = options.id;
    this.#options = options;
    this.#received = options.clock.now();
    this.#reference = referenceOf(options);
    this.#write('RequestReceived', this.#received);
  }

  impersonates(user: User): void {
    this.#impersonated = user;
  }

  annotate(key: string, value: string): void {
    this.#annotations[key] ??= value;
  }

  /** What was sent: an object, a patch, options of a deletion. */
  request(body: unknown, { isPatch = false } = {}): void {
    if (!isPatch) this.#completeReference(body);
    if (this.#hasLevel('Request')) this.#requestObject = this.#trimmed(body);
  }

  /** The answer, as an object or as its text. */
  response(body: unknown): void {
    const { attributes } = this.#options;
    if (isStatus(body)) this.#status = this.#quoted(body);
    if (attributes.type !== 'resource' || !this.#hasLevel('RequestResponse')) return;
    this.#responseObject = this.#trimmed(typeof body === 'string' ? (JSON.parse(body) as unknown) : body);
  }

  /** The head of an answer that goes on for long: a watch, a stream. */
  started(code: number): void {
    this.#status ??= { metadata: {}, code };
    this.#write('ResponseStarted', this.#options.clock.now());
  }

  /** @param code undefined when the connection was closed without an answer. */
  completed(code: number | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#status ??= code === undefined ? CLOSED_EARLY : { metadata: {}, code };
    this.#write('ResponseComplete', this.#options.clock.now());
  }

  #hasLevel(level: AuditLevel): boolean {
    const { level: given } = this.#options.decision;
    return given === 'RequestResponse' || given === level;
  }

  #write(stage: AuditStage, now: number): void {
    const { decision, write } = this.#options;
    if (decision.omitStages.includes(stage)) return;
    const event = this.#event(stage, now);
    const bodies = { requestObject: this.#requestObject, responseObject: this.#responseObject };
    if (bodies.requestObject === undefined && bodies.responseObject === undefined) return write(event);
    const whole = { ...event, ...bodies };
    if (Buffer.byteLength(JSON.stringify(whole)) <= MAX_EVENT_BYTES) return write(whole);
    const annotations = { ...this.#annotations, 'audit.k8s.io/truncated': 'true' };
    write({ ...event, annotations });
  }

  #event(stage: AuditStage, now: number): Recorded {
    const { decision, uri, attributes, user, sourceAddress, userAgent } = this.#options;
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: this.id,
      stage,
      requestURI: uri.slice(0, MAX_URI_LENGTH),
      verb: attributes.verb,
      user: user ? userOf(user) : {},
      ...(this.#impersonated ? { impersonatedUser: userOf(this.#impersonated) } : {}),
      ...(sourceAddress === '' ? {} : { sourceIPs: [sourceAddress] }),
      ...(userAgent === '' ? {} : { userAgent: shortAgent(userAgent) }),
      ...(this.#reference ? { objectRef: this.#reference } : {}),
      ...(this.#status ? { responseStatus: this.#status } : {}),
      requestReceivedTimestamp: formatMicroTime(this.#received),
      stageTimestamp: formatMicroTime(now),
      ...(Object.keys(this.#annotations).length === 0 ? {} : { annotations: { ...this.#annotations } }),
    };
  }

  /** A creation names its object in the body only. */
  #completeReference(body: unknown): void {
    const metadata = isObject(body) ? body['metadata'] : undefined;
    if (!this.#reference || !isObject(metadata)) return;
    for (const member of ['namespace', 'name', 'uid', 'resourceVersion']) {
      const value = metadata[member];
      if (typeof value !== 'string' || value === '' || this.#reference[member] !== undefined) continue;
      this.#reference = { ...this.#reference, [member]: value };
    }
  }

  #quoted({ status, message, reason, details, code }: Status): Recorded {
    const { attributes } = this.#options;
    const isHidden = attributes.type === 'resource' && isConfidential(attributes) && !this.#hasLevel('Request');
    return { metadata: {}, status, ...(isHidden ? {} : { message }), reason, ...(isHidden ? {} : { details }), code };
  }

  #trimmed(body: unknown): unknown {
    if (!this.#options.decision.omitManagedFields || !isObject(body)) return body;
    const { items } = body;
    if (Array.isArray(items)) return { ...body, items: items.map(withoutManagedFields) };
    return withoutManagedFields(body);
  }
}

const CLOSED_EARLY = { metadata: {}, status: 'Success', message: 'Connection closed early', code: 200 };

function isStatus(body: unknown): body is Status {
  return isObject(body) && body['kind'] === 'Status' && body['apiVersion'] === 'v1';
}

function referenceOf({ attributes, version }: RequestAuditOptions): Recorded | undefined {
  if (attributes.type === 'path') return undefined;
  const { group, resource, subresource, namespace, name } = attributes;
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function userOf({ name, uid, groups, extra }: User): Recorded {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}

function shortAgent(userAgent: string): string {
  if (userAgent.length <= MAX_USER_AGENT_LENGTH) return userAgent;
  return `${userAgent.slice(0, MAX_USER_AGENT_LENGTH)}...TRUNCATED`;
}

function withoutManagedFields(object: unknown): unknown {
  if (!isObject(object) || !isObject(object['metadata'])) return object;
  const { managedFields: _, ...metadata } = object['metadata'];
  return { ...object, metadata };
}
