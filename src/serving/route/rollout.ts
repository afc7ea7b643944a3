/**
 * Gradual rollout: how the share of a Configuration moves from its older Revisions to the newest, as a pure state
 * machine. The state lives in an annotation of the Ingress.
 *
 *     new Revision ready → it gets 1 %, taken from the newest before it; the clock starts
 *     Ingress ready      → the time that took is the pace: step size and duration are computed (`observeReady`)
 *     at each step       → traffic moves on to the newest; when only it is left, the state is idle again
 *
 * Times are nanoseconds since the epoch in plain numbers: exact to 256 ns, which no step can tell.
 */

export interface RevisionShare {
  readonly revisionName: string;
  /** Of all the Route's traffic, not of the Configuration's part. */
  readonly percent: number;
}

export interface StepParameters {
  readonly starttime?: number;
  readonly nextStepTime?: number;
  readonly stepDuration?: number;
  readonly stepSize?: number;
}

/** The state of one Configuration under one tag (none: the Route's own host). */
export interface ConfigurationRollout {
  readonly configurationName: string;
  readonly tag?: string;
  /** What the Revisions' shares add up to. */
  readonly percent: number;
  /** Oldest first; one when nothing moves. */
  readonly revisions?: readonly RevisionShare[];
  readonly stepParams: StepParameters;
}

/** Sorted by tag, then by Configuration. */
export interface Rollout {
  readonly configurations?: readonly ConfigurationRollout[];
}

const NS_PER_S = 1_000_000_000;

export function sortRollout(configurations: readonly ConfigurationRollout[]): Rollout {
  if (configurations.length === 0) return {};
  return { configurations: configurations.toSorted((a, b) => compare(keyOf(a), keyOf(b))) };
}

const keyOf = ({ tag = '', configurationName }: ConfigurationRollout) => `${tag}\u0000${configurationName}`;
const compare = (left: string, right: string) => (left < right ? -1 : Number(left > right));

/** No Configuration has traffic on more than one Revision. */
export function isRolloutDone({ configurations = [] }: Rollout): boolean {
  return configurations.every(({ revisions = [] }) => revisions.length < 2);
}

export function rolloutOf(rollout: Rollout, tag: string, configurationName: string): ConfigurationRollout | undefined {
  return rollout.configurations?.find((one) => (one.tag ?? '') === tag && one.configurationName === configurationName);
}

/** Undefined for what is no valid state: it is then forgotten, and traffic goes where it should at once. */
export function parseRollout(text: string | undefined): Rollout | undefined {
  if (!text) return undefined;
  try {
    const rollout = JSON.parse(text) as Rollout;
    return (rollout.configurations ?? []).every(isValid) ? rollout : undefined;
  } catch {
    return undefined;
  }
}

function isValid({ percent, stepParams, revisions = [] }: ConfigurationRollout): boolean {
  const size = stepParams.stepSize ?? 0;
  const total = revisions.reduce((sum, revision) => sum + revision.percent, 0);
  return percent <= 100 && size >= 0 && size <= percent && total === percent;
}

/** Knative's order of members, in which others read and compare it. */
export function renderRollout({ configurations = [] }: Rollout): string {
  if (configurations.length === 0) return '{}';
  const ordered = configurations.map(({ configurationName, tag, percent, revisions = [], stepParams }) => {
    const shares = revisions.map((one) => ({ revisionName: one.revisionName, percent: one.percent }));
    const { starttime, nextStepTime, stepDuration, stepSize } = stepParams;
    const parameters = { starttime, nextStepTime, stepDuration, stepSize };
    return {
      configurationName,
      tag: tag || undefined,
      percent,
      revisions: shares.length === 0 ? undefined : shares,
      stepParams: parameters,
    };
  });
  return JSON.stringify({ configurations: ordered });
}

/**
 * The Ingress became ready for the first time since a rollout began: what that took is the least time of a step.
 *
 * @param durationS how long the whole rollout should take, in seconds
 */
export function observeReady({ configurations = [] }: Rollout, nowNs: number, durationS: number): Rollout {
  return sortRollout(
    configurations.map((one) => {
      const { starttime = 0, stepDuration = 0 } = one.stepParams;
      if (stepDuration !== 0 || starttime <= 0) return one;
      const minStepS = Math.max(1, Math.ceil((nowNs - starttime) / NS_PER_S));
      return { ...one, stepParams: { starttime, ...pace(one.percent, { nowNs, minStepS, durationS }) } };
    }),
  );
}

interface Timing {
  readonly nowNs: number;
  readonly minStepS: number;
  readonly durationS: number;
}

/** The first percent took a step already; the rest moves in equal steps of at least one percent. */
function pace(percent: number, { nowNs, minStepS, durationS }: Timing): StepParameters {
  const leftS = Math.max(1, durationS - minStepS);
  const leftPercent = percent - 1;
  const steps = Math.min(Math.max(1, leftS / minStepS), leftPercent);
  const stepDuration = Math.floor((leftS / steps) * NS_PER_S);
  return { nextStepTime: nowNs + stepDuration, stepDuration, stepSize: Math.round(leftPercent / steps) };
}

export interface RolloutStep {
  readonly rollout: Rollout;
  /** When the next step is due; undefined when nothing moves. */
  readonly nextStepNs?: number | undefined;
}

/** The state that follows from what the Route wants now (`goal`), what was (`previous`), and the time. */
export function stepRollout(goal: Rollout, previous: Rollout | undefined, nowNs: number): RolloutStep {
  if (!previous?.configurations?.length) return { rollout: goal };
  const tags = new Set(previous.configurations.map(({ tag = '' }) => tag));
  const next: ConfigurationRollout[] = [];
  for (const wanted of goal.configurations ?? []) {
    const before = rolloutOf(previous, wanted.tag ?? '', wanted.configurationName);
    const isNewTag = !tags.has(wanted.tag ?? '');
    if (isNewTag || (!before && wanted.percent !== 0)) next.push(wanted);
    else if (before && wanted.percent > 1) next.push(stepConfiguration(wanted, before, nowNs));
    else if (before && wanted.percent === 1) next.push(wanted);
  }
  const due = next.map(({ stepParams }) => stepParams.nextStepTime ?? 0).filter((at) => at > 0);
  return { rollout: sortRollout(next), nextStepNs: due.length === 0 ? undefined : Math.min(...due) };
}

function stepConfiguration(
  goal: ConfigurationRollout,
  before: ConfigurationRollout,
  nowNs: number,
): ConfigurationRollout {
  const old = before.revisions ?? [];
  const adjusted = old.length === 0 ? old : adjustShares(old, goal.percent - before.percent);
  const [wanted] = goal.revisions ?? [];
  if (!wanted || old.length === 0 || wanted.revisionName === old.at(-1)?.revisionName) {
    if (adjusted.length < 2) return { ...goal, stepParams: {} };
    return advance({ ...goal, revisions: adjusted, stepParams: before.stepParams }, nowNs);
  }
  const shares = takeOne(adjusted).filter(({ percent }) => percent > 0);
  const revisions = [...shares, { revisionName: wanted.revisionName, percent: 1 }];
  return { ...goal, revisions, stepParams: { starttime: nowNs } };
}

/** The newest gains what the Configuration gains; the oldest lose what it loses. */
function adjustShares(shares: readonly RevisionShare[], gain: number): readonly RevisionShare[] {
  if (gain === 0) return shares;
  if (gain > 0) {
    return shares.map((share, index) =>
      index === shares.length - 1 ? { ...share, percent: share.percent + gain } : share,
    );
  }
  let loss = -gain;
  return shares.flatMap((share) => {
    const taken = Math.min(loss, share.percent);
    loss -= taken;
    return share.percent > taken ? [{ ...share, percent: share.percent - taken }] : [];
  });
}

/** One percent from the newest Revision that has any. */
function takeOne(shares: readonly RevisionShare[]): readonly RevisionShare[] {
  const from = shares.findLastIndex(({ percent }) => percent > 0);
  return shares.map((share, index) => (index === from ? { ...share, percent: share.percent - 1 } : share));
}

/** Moves one step to the newest when it is due; before the pace is known nothing moves. */
function advance(state: ConfigurationRollout, nowNs: number): ConfigurationRollout {
  const { stepSize = 0, nextStepTime = 0, stepDuration = 0 } = state.stepParams;
  const shares = state.revisions ?? [];
  const newest = shares.at(-1);
  if (stepSize <= 0 || nowNs < nextStepTime || shares.length < 2 || !newest) return state;
  const older = drainNewestFirst(shares.slice(0, -1), stepSize);
  const percent = Math.min(newest.percent + stepSize, state.percent);
  const revisions = [...older, { revisionName: newest.revisionName, percent }];
  const isOver = revisions.length === 1;
  return {
    ...state,
    revisions,
    stepParams: isOver ? {} : { ...state.stepParams, nextStepTime: nowNs + stepDuration },
  };
}

function drainNewestFirst(shares: readonly RevisionShare[], amount: number): RevisionShare[] {
  let left = amount;
  const kept: RevisionShare[] = [];
  for (const share of shares.toReversed()) {
    const taken = Math.min(left, share.percent);
    left -= taken;
    if (share.percent > taken) kept.unshift({ ...share, percent: share.percent - taken });
  }
  return kept;
}
