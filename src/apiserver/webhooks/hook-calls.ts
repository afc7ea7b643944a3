/** What a call of a webhook means for the request: consent, refusal, or, if it failed, what its policy says. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Metric, MetricRegistry } from '#base/metrics.ts';
import { internalError, StatusError } from '#kube/status.ts';
import { isConfidential } from '#apiserver/confidential.ts';
import { callFailed, deniedBy } from '#apiserver/webhooks/failures.ts';
import type { Invocation, Reviewer } from '#apiserver/webhooks/invocation.ts';
import { Misbehaviour, PatchFault, type Verdict } from '#apiserver/webhooks/verdict.ts';
import { CallFailure } from '#apiserver/webhooks/webhook-client.ts';

/** Seconds. */
const DURATION_BOUNDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];

export interface HookCallsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
}

export class HookCalls {
  readonly #options: HookCallsOptions;
  readonly #durations: Metric;
  readonly #rejections: Metric;
  readonly #openings: Metric;

  constructor(options: HookCallsOptions) {
    const { metrics } = options;
    this.#options = options;
    this.#durations = metrics.histogram(
      'apiserver_admission_webhook_admission_duration_seconds',
      'Time that calls of admission webhooks took.',
      DURATION_BOUNDS,
    );
    this.#rejections = metrics.counter(
      'apiserver_admission_webhook_rejection_count',
      'Requests that admission webhooks refused, or that failed with them.',
    );
    this.#openings = metrics.counter(
      'apiserver_admission_webhook_fail_open_count',
      'Calls of admission webhooks that failed and were passed over.',
    );
  }

  /** Undefined when the call failed and the webhook's policy is to go on. Throws a StatusError that refuses. */
  async call(reviewer: Reviewer, invocation: Invocation): Promise<Verdict | undefined> {
    const { hook } = invocation;
    const begun = this.#options.clock.monotonicMs();
    const labels = { name: hook.name, type: METRIC_TYPES[hook.type], operation: reviewer.operation };
    const observe = (rejected: boolean) => {
      const seconds = (this.#options.clock.monotonicMs() - begun) / 1_000;
      this.#durations.observe(seconds, { ...labels, rejected: String(rejected) });
    };
    try {
      const verdict = await reviewer.ask(invocation);
      if (!verdict.isAllowed) throw deniedBy(hook.name, verdict.refused);
      observe(false);
      return verdict;
    } catch (error) {
      const failure = failureOf(hook.name, error);
      const isPassed = failure.type === 'calling_webhook_error' && hook.failsOpen;
      observe(!isPassed);
      if (!isPassed) {
        this.#rejections.add(1, { ...labels, error_type: failure.type, rejection_code: String(failure.error.code) });
        throw failure.error;
      }
      this.#openings.add(1, { name: hook.name, type: labels.type });
      this.#say(reviewer, invocation, failure.error);
      return undefined;
    }
  }

  /** A webhook may repeat in its error what it was asked about. */
  #say({ request }: Reviewer, { hook }: Invocation, { message }: StatusError): void {
    const { configuration, name: webhook } = hook;
    const { group, plural: resource } = request.kind;
    const why = isConfidential({ group, resource, subresource: request.subresource }) ? {} : { why: message };
    this.#options.logger.warn('an admission webhook failed and was passed over', { configuration, webhook, ...why });
  }
}

/** As the real server's metrics call them. */
const METRIC_TYPES = { mutating: 'admit', validating: 'validating' } as const;

interface Failure {
  readonly type: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error';
  readonly error: StatusError;
}

function failureOf(webhook: string, error: unknown): Failure {
  if (error instanceof StatusError) return { type: 'no_error', error };
  if (error instanceof CallFailure) {
    return { type: 'calling_webhook_error', error: callFailed(webhook, `failed to call webhook: ${error.message}`) };
  }
  if (error instanceof Misbehaviour)
    return { type: 'calling_webhook_error', error: callFailed(webhook, error.message) };
  if (error instanceof PatchFault) return { type: 'apiserver_internal_error', error: internalError(error.message) };
  throw error;
}
