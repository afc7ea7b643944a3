/**
 * The algebra of status conditions, the same for every kind of Knative.
 *
 * A kind has one happy condition, Ready, and dependents that must all be True for it. Setting a dependent carries over
 * to Ready; other conditions only inform (severity Info). `manageConditions` works on a status that the caller may
 * change, keeps the list sorted by type, and moves `lastTransitionTime` exactly when another member of that condition
 * changes. Nothing is written anywhere: the reconciler compares the status with the one it read.
 */
import { formatTime, parseTime } from '#kube/time.ts';

export type ConditionStatus = 'True' | 'False' | 'Unknown';

export interface Condition {
  type: string;
  status: ConditionStatus;
  /** Absent for what decides about Ready, and for Ready. */
  severity?: '' | 'Warning' | 'Info' | undefined;
  /** RFC 3339, whole seconds. */
  lastTransitionTime?: string | undefined;
  reason?: string | undefined;
  message?: string | undefined;
}

/** The part of a status that conditions live in. */
export interface StatusWithConditions {
  observedGeneration?: number | undefined;
  conditions?: Condition[] | undefined;
}

export const READY = 'Ready';

/** Which conditions a kind has. `Name` are all of them, Ready included. */
export interface ConditionSet<Name extends string = string> {
  /** Those that must be True for Ready to be. */
  readonly dependents: readonly string[];
  /** Carries the names; never present at run time. */
  readonly _names?: Name;
}

export interface Reason {
  readonly reason: string;
  readonly message: string;
}

export interface Conditions<Name extends string = string> {
  get(type: Name): Condition | undefined;
  /** Ready Unknown, and each dependent that is not there yet Unknown, or True where Ready is True already. */
  initialize(): void;
  /** Ready follows once no dependent is False, Unknown or missing. */
  markTrue(type: Name, why?: Reason): void;
  /** A dependent that is False elsewhere keeps Ready False. */
  markUnknown(type: Name, why?: Reason): void;
  markFalse(type: Name, why?: Reason): void;
  /** Marks `type` as `source` is: status, reason and message. */
  copy(type: Name, source: Pick<Condition, 'status' | 'reason' | 'message'>): void;
  /** Takes away a condition on which Ready does not depend. */
  clear(type: Name): void;
}

/** A set of conditions: those on which Ready depends, and those that only inform. */
export function conditionSet<D extends string = never, E extends string = never>(
  dependents: readonly D[] = [],
  _informing: readonly E[] = [],
): ConditionSet<D | E | typeof READY> {
  return { dependents };
}

export const revisionConditions = conditionSet(['ResourcesAvailable', 'ContainerHealthy'], ['Active']);
export const configurationConditions = conditionSet();
export const routeConditions = conditionSet(['AllTrafficAssigned', 'IngressReady', 'CertificateProvisioned']);
export const serviceConditions = conditionSet(['ConfigurationsReady', 'RoutesReady']);
export const domainMappingConditions = conditionSet([
  'DomainClaimed',
  'ReferenceResolved',
  'IngressReady',
  'CertificateProvisioned',
]);
export const podAutoscalerConditions = conditionSet(['Active', 'ScaleTargetInitialized', 'SKSReady']);
export const metricConditions = conditionSet();
export const serverlessServiceConditions = conditionSet(['EndpointsPopulated'], ['ActivatorEndpointsPopulated']);
export const ingressConditions = conditionSet(['NetworkConfigured', 'LoadBalancerReady']);

/** Works on the conditions of `status`, in place; `nowMs` becomes the transition time of what changes. */
export function manageConditions<Name extends string>(
  set: ConditionSet<Name>,
  status: StatusWithConditions,
  nowMs: number,
): Conditions<Name> {
  return new Manager(set, status, nowMs);
}

class Manager<Name extends string> implements Conditions<Name> {
  readonly #dependents: readonly string[];
  readonly #status: StatusWithConditions;
  readonly #nowMs: number;
  /** Order of the changes made here: times have whole seconds only. */
  readonly #changed: string[] = [];

  constructor(set: ConditionSet<Name>, status: StatusWithConditions, nowMs: number) {
    this.#dependents = set.dependents;
    this.#status = status;
    this.#nowMs = nowMs;
  }

  get(type: string): Condition | undefined {
    return findCondition(this.#status, type);
  }

  initialize(): void {
    if (!this.get(READY)) this.#set(READY, { status: 'Unknown' });
    const status = this.get(READY)?.status === 'True' ? 'True' : 'Unknown';
    for (const type of this.#dependents) if (!this.get(type)) this.#set(type, { status });
  }

  markTrue(type: Name, why?: Reason): void {
    this.#set(type, { status: 'True', ...why });
    const unhappy = this.#unhappyDependent();
    if (unhappy) this.#set(READY, unhappy);
    else if (type !== READY) this.#set(READY, { status: 'True' });
  }

  markUnknown(type: Name, why?: Reason): void {
    this.#set(type, { status: 'Unknown', ...why });
    if (this.#dependents.some((dependent) => this.get(dependent)?.status === 'False')) {
      if (this.get(READY)?.status !== 'False') this.#set(READY, { status: 'False', ...why });
    } else if (this.#dependents.includes(type)) this.#set(READY, { status: 'Unknown', ...why });
  }

  markFalse(type: Name, why?: Reason): void {
    this.#set(type, { status: 'False', ...why });
    if (this.#dependents.includes(type)) this.#set(READY, { status: 'False', ...why });
  }

  copy(type: Name, { status, reason = '', message = '' }: Pick<Condition, 'status' | 'reason' | 'message'>): void {
    const why = { reason, message };
    if (status === 'True') this.markTrue(type, why);
    else if (status === 'False') this.markFalse(type, why);
    else this.markUnknown(type, why);
  }

  clear(type: Name): void {
    if (type === READY || this.#dependents.includes(type)) return;
    this.#status.conditions = this.#status.conditions?.filter((condition) => condition.type !== type);
  }

  /** Most recently changed False, else most recently changed Unknown, else Unknown when one is missing. */
  #unhappyDependent(): Pick<Condition, 'status' | 'reason' | 'message'> | undefined {
    const present = this.#dependents.flatMap((type) => this.get(type) ?? []).sort(byType);
    const latestFirst = present.sort((left, right) => this.#changedAt(right) - this.#changedAt(left));
    const unhappy =
      latestFirst.find(({ status }) => status === 'False') ?? latestFirst.find(({ status }) => status === 'Unknown');
    if (unhappy) return unhappy;
    return present.length < this.#dependents.length ? { status: 'Unknown' } : undefined;
  }

  #changedAt({ type, lastTransitionTime }: Condition): number {
    const order = this.#changed.lastIndexOf(type) + 1;
    return (parseTime(lastTransitionTime) ?? 0) + order / (this.#changed.length + 1);
  }

  #set(type: string, { status, reason, message }: Pick<Condition, 'status' | 'reason' | 'message'>): void {
    const before = this.get(type);
    const next: Condition = { type, status };
    if (type !== READY && !this.#dependents.includes(type)) next.severity = 'Info';
    if (reason) next.reason = reason;
    if (message) next.message = message;
    if (before && sameButForTime(before, next)) return;
    next.lastTransitionTime = formatTime(this.#nowMs);
    this.#changed.push(type);
    const others = this.#status.conditions?.filter((condition) => condition.type !== type) ?? [];
    this.#status.conditions = [...others, next].sort(byType);
  }
}

function byType(left: Condition, right: Condition): number {
  return left.type < right.type ? -1 : 1;
}

function sameButForTime(left: Condition, right: Condition): boolean {
  return (
    left.status === right.status &&
    (left.severity ?? '') === (right.severity ?? '') &&
    (left.reason ?? '') === (right.reason ?? '') &&
    (left.message ?? '') === (right.message ?? '')
  );
}

export function findCondition(status: StatusWithConditions | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

interface WithConditions {
  readonly metadata: { readonly generation?: number | undefined };
  readonly status?: StatusWithConditions | undefined;
}

function readyIs(object: WithConditions, wanted: ConditionStatus): boolean {
  const { metadata, status } = object;
  const isCurrent = (status?.observedGeneration ?? 0) === (metadata.generation ?? 0);
  return isCurrent && findCondition(status, READY)?.status === wanted;
}

/** Ready is True, and that is about the current generation. */
export function isReady(object: WithConditions): boolean {
  return readyIs(object, 'True');
}

/** Ready is False, and that is about the current generation. */
export function isFailed(object: WithConditions): boolean {
  return readyIs(object, 'False');
}

/**
 * What every reconcile does to a status first: conditions are initialised, and a generation not yet worked on makes
 * Ready Unknown until the reconcile says otherwise.
 */
export function beginReconcile<Name extends string>(
  conditions: Conditions<Name | typeof READY>,
  status: StatusWithConditions,
  generation: number | undefined,
): void {
  conditions.initialize();
  if ((status.observedGeneration ?? 0) === (generation ?? 0)) return;
  conditions.markUnknown(READY, {
    reason: 'NewObservedGenFailure',
    message: 'unsuccessfully observed a new generation',
  });
}

/**
 * What every reconcile does to a status last, whether it failed or not: the generation counts as observed, and
 * conditions that ended as they were keep their time.
 */
export function endReconcile(
  before: StatusWithConditions | undefined,
  status: StatusWithConditions,
  generation: number | undefined,
): void {
  status.observedGeneration = generation ?? 0;
  for (const condition of status.conditions ?? []) {
    const old = findCondition(before, condition.type);
    if (old && sameButForTime(old, condition)) condition.lastTransitionTime = old.lastTransitionTime;
  }
}
