/** Configurations of admission webhooks: what they leave open, and what is wrong with them, in Kubernetes' words. */
import { deepEqual } from '#base/json.ts';
import {
  child,
  duplicateField,
  type FieldError,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import { MutatingWebhookConfiguration } from '#kube/kinds/admissionregistration/mutating-webhook-configuration.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import type { MutatingWebhook, ValidatingWebhook } from '#kube/kinds/admissionregistration/webhook.ts';
import { dns1035LabelProblems, dnsSubdomainProblems } from '#kube/names.ts';
import { labelSelectorErrors } from '#kube/selectors.ts';
import { listOf } from '#apiserver/lists.ts';
import { invalidLiteral, stringList } from '#apiserver/strategies/literals.ts';
import { clientConfigErrors } from '#apiserver/strategies/webhooks/client-config.ts';
import { matchConditionErrors } from '#apiserver/strategies/webhooks/match-conditions.ts';
import { ruleErrors } from '#apiserver/strategies/webhooks/rules.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const DEFAULT_PORT = 443;
const DEFAULT_TIMEOUT_SECONDS = 10;
const MAX_TIMEOUT_SECONDS = 30;

const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const FAILURE_POLICIES = ['Fail', 'Ignore'];
const MATCH_POLICIES = ['Equivalent', 'Exact'];
/** Since v1 of the kind a webhook must say that a dry run does no harm. */
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const REINVOCATION_POLICIES = ['IfNeeded', 'Never'];

export const mutatingWebhookConfigurationStrategy = strategyOf(MutatingWebhookConfiguration, {
  requiresVersionOnUpdate: true,
  isNewGeneration: (object, old) => !deepEqual(object.webhooks, old.webhooks),
  setDefaults({ webhooks }) {
    for (const webhook of listOf(webhooks)) {
      setWebhookDefaults(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  validate: ({ webhooks }) => errorsOf(listOf(webhooks)),
  validateUpdate: ({ webhooks }) => errorsOf(listOf(webhooks)),
});

export const validatingWebhookConfigurationStrategy = strategyOf(ValidatingWebhookConfiguration, {
  requiresVersionOnUpdate: true,
  isNewGeneration: (object, old) => !deepEqual(object.webhooks, old.webhooks),
  setDefaults({ webhooks }) {
    for (const webhook of listOf(webhooks)) setWebhookDefaults(webhook);
  },
  validate: ({ webhooks }) => errorsOf(listOf(webhooks)),
  validateUpdate: ({ webhooks }) => errorsOf(listOf(webhooks)),
});

type Webhook = ValidatingWebhook & Partial<Pick<MutatingWebhook, 'reinvocationPolicy'>>;

function setWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= DEFAULT_TIMEOUT_SECONDS;
  const { service } = webhook.clientConfig;
  if (service) service.port ??= DEFAULT_PORT;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
}

function errorsOf(webhooks: readonly Webhook[]): FieldError[] {
  const names = new Set<string>();
  return webhooks.flatMap((webhook, position) => {
    const path = index('webhooks', position);
    const errors = [
      ...webhookErrors(webhook, path),
      ...versionErrors(listOf(webhook.admissionReviewVersions), child(path, 'admissionReviewVersions')),
    ];
    if (names.has(webhook.name)) errors.push(duplicateField(child(path, 'name'), webhook.name));
    if (webhook.name !== '') names.add(webhook.name);
    return errors;
  });
}

function webhookErrors(webhook: Webhook, path: string): FieldError[] {
  const { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, namespaceSelector, objectSelector } = webhook;
  const ofTimeout =
    timeoutSeconds < 1 || timeoutSeconds > MAX_TIMEOUT_SECONDS
      ? [invalidField(child(path, 'timeoutSeconds'), timeoutSeconds, TIMEOUT_RULE)]
      : [];
  return [
    ...nameErrors(webhook.name, child(path, 'name')),
    ...(webhook.rules ?? []).flatMap((rule, at) => ruleErrors(rule, index(child(path, 'rules'), at))),
    ...choiceErrors(webhook.failurePolicy, child(path, 'failurePolicy'), FAILURE_POLICIES),
    ...choiceErrors(webhook.matchPolicy, child(path, 'matchPolicy'), MATCH_POLICIES),
    ...sideEffectErrors(webhook.sideEffects, child(path, 'sideEffects')),
    ...ofTimeout,
    ...labelSelectorErrors(namespaceSelector ?? {}, child(path, 'namespaceSelector')),
    ...labelSelectorErrors(objectSelector ?? {}, child(path, 'objectSelector')),
    ...choiceErrors(webhook.reinvocationPolicy, child(path, 'reinvocationPolicy'), REINVOCATION_POLICIES),
    ...clientConfigErrors(webhook.clientConfig, child(path, 'clientConfig')),
    ...matchConditionErrors(webhook.matchConditions ?? [], child(path, 'matchConditions')),
  ];
}

const TIMEOUT_RULE = `the timeout value must be between 1 and ${MAX_TIMEOUT_SECONDS} seconds`;

function nameErrors(name: string, path: string): FieldError[] {
  if (!name) return [requiredField(path)];
  const problems = dnsSubdomainProblems(name);
  if (problems.length > 0) return [invalidField(path, name, problems.join(','))];
  if (name.split('.').length >= 3) return [];
  return [invalidField(path, name, 'should be a domain with at least three segments separated by dots')];
}

function choiceErrors(value: string | undefined, path: string, choices: readonly string[]): FieldError[] {
  return value === undefined || choices.includes(value) ? [] : [notSupportedField(path, value, choices)];
}

/** The member is written as null when it is absent. */
function sideEffectErrors(value: string | null | undefined, path: string): FieldError[] {
  if (typeof value === 'string') return choiceErrors(value, path, SIDE_EFFECTS);
  return [requiredField(path, `must specify one of ${SIDE_EFFECTS.join(', ')}`)];
}

function versionErrors(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [requiredField(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)];
  const errors = versions.flatMap((version, position) => {
    const at = index(path, position);
    if (versions.indexOf(version) < position) return [invalidField(at, version, 'duplicate version')];
    return dns1035LabelProblems(version).map((problem) => invalidField(at, version, problem));
  });
  if (versions.some((version) => REVIEW_VERSIONS.includes(version))) return errors;
  const why = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
  return [...errors, invalidLiteral(path, stringList(versions), why)];
}
