/**
 * The steps of a cold start, each an instant in milliseconds since the epoch with fractions (all our processes run
 * on one machine and read one clock).
 *
 *     request seen (gateway) ─ wanted (autoscaler) ─ podCreated ─ assigned (node agent saw it)
 *       ─ sandboxReady (network, root filesystem) ─ runtimeStarted (user process runs) ─ listening (first connect)
 *       ─ endpoint known (gateway) ─ request forwarded ─ first byte of the answer
 *
 * The node agent writes those that it knows into the Pod's annotation `START_MARKS_ANNOTATION`; the compiler passes
 * them to the gateway with the endpoint, and the gateway adds its own.
 */
export interface StartMarks {
  readonly podCreated?: number | undefined;
  readonly assigned?: number | undefined;
  readonly sandboxReady?: number | undefined;
  readonly runtimeStarted?: number | undefined;
  readonly listening?: number | undefined;
}

export const START_MARKS_ANNOTATION = 'pinnace.dev/start-marks';

/**
 * Set on an ending pod once the gateway sends it nothing and nothing that it sent is still running. The node agent waits
 * for it, within the pod's grace period, before it tells a Revision's containers to end.
 */
export const DRAINED_ANNOTATION = 'pinnace.dev/drained';

/** The gateway's own marks of one request that waited for a pod. */
export interface RequestMarks {
  readonly seen: number;
  readonly endpointKnown: number;
  readonly forwarded: number;
  readonly firstByte: number;
}

export interface TimelineStep {
  /** A token of `Server-Timing`. */
  readonly name: 'decide' | 'schedule' | 'sandbox' | 'start' | 'boot' | 'publish' | 'forward' | 'answer';
  readonly description: string;
  readonly durationMs: number;
}

/** Breaks one cold start into consecutive steps; marks that are missing or out of order give no step. */
export function coldStartSteps(start: StartMarks, request: RequestMarks): TimelineStep[] {
  const marks: [TimelineStep['name'], string, number | undefined][] = [
    ['decide', 'request seen, pod asked for', start.podCreated],
    ['schedule', 'pod assigned to the node agent', start.assigned],
    ['sandbox', 'network and root filesystem ready', start.sandboxReady],
    ['start', 'process started by the runtime', start.runtimeStarted],
    ['boot', 'application listens', start.listening],
    ['publish', 'endpoint known to the gateway', request.endpointKnown],
    ['forward', 'request forwarded', request.forwarded],
    ['answer', 'first byte of the answer', request.firstByte],
  ];
  const steps: TimelineStep[] = [];
  let previous = request.seen;
  for (const [name, description, at] of marks) {
    if (at === undefined || at < previous) continue;
    steps.push({ name, description, durationMs: at - previous });
    previous = at;
  }
  return steps;
}

/** Value of a `Server-Timing` header. */
export function renderServerTiming(steps: readonly TimelineStep[]): string {
  return steps
    .map(({ name, description, durationMs }) => `${name};desc="${description}";dur=${durationMs.toFixed(2)}`)
    .join(', ');
}
