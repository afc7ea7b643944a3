/** One webhook of a configuration, read once, so that a request only compares. */
import type {
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
  WebhookClientConfig,
} from '#kube/kinds/admissionregistration/webhook.ts';
import { ParseError } from '#kube/parse-error.ts';
import { NOTHING, type Selector, selectorOf } from '#kube/selectors.ts';
import { compileCondition, type Condition } from '#apiserver/webhooks/conditions.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;

export type HookType = 'mutating' | 'validating';
export type ReviewVersion = 'v1' | 'v1beta1';

export interface Hook {
  readonly type: HookType;
  readonly configuration: string;
  readonly name: string;
  readonly rules: readonly RuleWithOperations[];
  readonly matchesEquivalents: boolean;
  readonly conditions: readonly Condition[];
  readonly namespaceSelector: Selector;
  readonly objectSelector: Selector;
  /** A call that fails counts as consent. */
  readonly failsOpen: boolean;
  readonly timeoutSeconds: number;
  readonly allowsDryRun: boolean;
  /** The first in its list that we speak. */
  readonly reviewVersion: ReviewVersion | undefined;
  /** It wants to see what others made of the object after it. */
  readonly isReinvoked: boolean;
  readonly clientConfig: WebhookClientConfig;
}

export interface HookSource {
  readonly type: HookType;
  readonly configuration: string;
  readonly webhook: ValidatingWebhook | MutatingWebhook;
}

/** What validation would have refused matches nothing. */
export function hookOf({ type, configuration, webhook }: HookSource): Hook {
  return {
    type,
    configuration,
    name: webhook.name,
    rules: webhook.rules ?? [],
    matchesEquivalents: webhook.matchPolicy !== 'Exact',
    conditions: (webhook.matchConditions ?? []).map(({ expression }) => conditionOf(expression.trim())),
    namespaceSelector: usable(selectorOf(webhook.namespaceSelector ?? {})),
    objectSelector: usable(selectorOf(webhook.objectSelector ?? {})),
    failsOpen: webhook.failurePolicy === 'Ignore',
    timeoutSeconds: webhook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    allowsDryRun: webhook.sideEffects === 'None' || webhook.sideEffects === 'NoneOnDryRun',
    reviewVersion: webhook.admissionReviewVersions.find(isSpoken),
    isReinvoked: 'reinvocationPolicy' in webhook && webhook.reinvocationPolicy === 'IfNeeded',
    clientConfig: webhook.clientConfig,
  };
}

function conditionOf(expression: string): Condition {
  return { expression, program: compileCondition(expression) };
}

function isSpoken(version: string): version is ReviewVersion {
  return version === 'v1' || version === 'v1beta1';
}

function usable(selector: Selector | ParseError): Selector {
  return selector instanceof ParseError ? NOTHING : selector;
}
