/**
 * Admission of Knative's kinds, as Knative's webhooks do it: `mutate` before the schema is checked, `validate` after.
 *
 * `mutate` reads the spec as Go would and writes it again, fills in defaults and stamps the user, in place. What it
 * refuses, and what `validate` refuses, is a text that names the webhook; the API server answers it with 400.
 */
import type { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import type { KubeObject, ObjectMeta } from '#kube/object.ts';
import { renderErrors, renderWarnings } from '#knative/field-error.ts';
import { validateConfigMap } from '#knative/config/all.ts';
import { COMPONENT_LABEL, KNATIVE_SERVING, NAME_LABEL } from '#knative/labels.ts';
import { Certificate } from '#knative/kinds/certificate.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Metric } from '#knative/kinds/metric.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { Service } from '#knative/kinds/service.ts';
import { type AdmissionContext, isUpdate, type KindRules } from '#knative/admission/context.ts';
import { configurationRules } from '#knative/admission/kinds/configuration.ts';
import { domainMappingRules } from '#knative/admission/kinds/domain-mapping.ts';
import { ingressRules } from '#knative/admission/kinds/ingress.ts';
import {
  certificateRules,
  metricRules,
  podAutoscalerRules,
  serverlessServiceRules,
} from '#knative/admission/kinds/internal.ts';
import { revisionRules } from '#knative/admission/kinds/revision.ts';
import { routeRules } from '#knative/admission/kinds/route.ts';
import { serviceRules } from '#knative/admission/kinds/service.ts';
import { stampUser } from '#knative/admission/user-stamp.ts';
import { DecodeError, roundTrip } from '#knative/admission/wire/shape.ts';

type KindId = Pick<Kind, 'group' | 'plural'>;
type WithSpec = KubeObject & { spec?: unknown };

const RULES: ReadonlyMap<string, KindRules> = new Map(
  (
    [
      [Service, serviceRules],
      [Configuration, configurationRules],
      [Revision, revisionRules],
      [Route, routeRules],
      [DomainMapping, domainMappingRules],
      [PodAutoscaler, podAutoscalerRules],
      [Metric, metricRules],
      [Ingress, ingressRules],
      [ServerlessService, serverlessServiceRules],
      [Certificate, certificateRules],
    ] as const
  ).map(([kind, rules]): [string, KindRules] => [resourceOf(kind), rules]),
);

/** The kinds that are looked at, by the names that `resourceOf` gives; the others pass as they are. */
export const admittedResources: readonly string[] = [...RULES.keys()];

export interface Verdict {
  /** Why the object is refused, for the client; absent when it is let in. */
  readonly denied?: string | undefined;
  /** For the client's `Warning` headers, a line each, refused or not. */
  readonly warnings: readonly string[];
}

const PASSED: Verdict = { warnings: [] };

function denial(webhook: string, why: string): string {
  return `admission webhook "${webhook}" denied the request: ${why}`;
}

/** Completes `object`, in place. A write of the status leaves nothing to complete. */
export function mutate(kind: KindId, context: AdmissionContext, object: KubeObject): Verdict {
  const rules = RULES.get(resourceOf(kind));
  if (!rules || context.subresource !== undefined) return PASSED;
  const target: WithSpec = object;
  try {
    target.spec = roundTrip(rules.spec, target.spec, 'spec');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const why = `mutation failed: cannot decode incoming new object: ${error.message}`;
    return { denied: denial('webhook.serving.knative.dev', why), warnings: [] };
  }
  dropEmpty(object.metadata);
  const old = rules.stampsUser ? readOld(rules, context) : undefined;
  rules.setDefaults(object, { ...context, old });
  const isOwned = object.metadata.ownerReferences !== undefined;
  if (rules.stampsUser && !isOwned) stampUser(target, old, context);
  return PASSED;
}

/** The stored object as today's defaults would have it: what only they add is no change by the user. */
function readOld(rules: KindRules, context: AdmissionContext): WithSpec | undefined {
  const stored: WithSpec | undefined = context.old;
  if (!isUpdate(context) || !stored) return undefined;
  const old = { ...stored, spec: roundTrip(rules.spec, stored.spec, 'spec') };
  rules.setDefaults(old, { ...context, old: undefined });
  return old;
}

/** Go leaves empty maps out. */
function dropEmpty(metadata: ObjectMeta): void {
  for (const field of ['labels', 'annotations'] as const) {
    if (metadata[field] && Object.keys(metadata[field]).length === 0) delete metadata[field];
  }
}

/** Judges an object that `mutate` completed and the schema let through. */
export function validate(kind: KindId, context: AdmissionContext, object: KubeObject): Verdict {
  const rules = RULES.get(resourceOf(kind));
  if (!rules) return PASSED;
  const errors = rules.validate(object, context);
  const text = renderErrors(errors);
  const warnings = renderWarnings(errors).flatMap((warning) => warning.split('\n'));
  if (text === undefined) return { warnings };
  return { denied: denial('validation.webhook.serving.knative.dev', `validation failed: ${text}`), warnings };
}

const COMPONENTS = new Set([
  'autoscaler',
  'controller',
  'logging',
  'networking',
  'observability',
  'tracing',
  'net-certmanager',
  'net-kourier',
]);

/** Judges a ConfigMap of the system namespace; those without the labels of Knative's are not looked at. */
export function validateConfigMapWrite(configMap: ConfigMap): Verdict {
  const labels = configMap.metadata.labels ?? {};
  const isOurs = labels[NAME_LABEL] === KNATIVE_SERVING && COMPONENTS.has(labels[COMPONENT_LABEL] ?? '');
  const problem = isOurs ? validateConfigMap(configMap) : undefined;
  if (problem === undefined) return PASSED;
  return { denied: denial('config.webhook.serving.knative.dev', `validation failed: ${problem}`), warnings: [] };
}
