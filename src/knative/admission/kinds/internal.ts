/** PodAutoscaler, Metric, ServerlessService and Certificate: objects that controllers write for one another. */
import { cIdentifierProblems, dnsLabelProblems, qualifiedNameProblems } from '#kube/names.ts';
import type { ObjectMeta } from '#kube/object.ts';
import { type FieldErrors, invalidKeyName, invalidValue, missingField, noErrors, via } from '#knative/field-error.ts';
import type { Certificate } from '#knative/kinds/certificate.ts';
import type { Metric } from '#knative/kinds/metric.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import type { ServerlessService } from '#knative/kinds/serverless-service.ts';
import {
  autoscalingKeys,
  CERTIFICATE_CLASS_KEYS,
  DISABLE_EXTERNAL_TLS_KEYS,
  HPA_CLASS,
  HTTP_PROTOCOL_KEYS,
  INGRESS_CLASS_KEYS,
  KPA_CLASS,
  NETWORKING_GROUP,
} from '#knative/labels.ts';
import { validateAutoscalingAnnotations } from '#knative/admission/autoscaling-annotations.ts';
import { type AdmissionContext, rulesOf } from '#knative/admission/context.ts';
import { validateName } from '#knative/admission/metadata.ts';
import { refuseFields } from '#knative/admission/pod/security.ts';
import { validateConcurrency } from '#knative/admission/template.ts';
import {
  certificateSpec,
  metricSpec,
  podAutoscalerSpec,
  serverlessServiceSpec,
} from '#knative/admission/wire/kinds.ts';
import { isZero } from '#knative/admission/wire/shape.ts';

const DEFAULT_METRICS: Readonly<Record<string, string>> = { [KPA_CLASS]: 'concurrency', [HPA_CLASS]: 'cpu' };

export const podAutoscalerRules = rulesOf<PodAutoscaler>({
  spec: podAutoscalerSpec,
  stampsUser: false,

  setDefaults({ metadata }, { config }) {
    const annotations: Record<string, string> = { ...metadata.annotations };
    const [classKey] = autoscalingKeys.class;
    const [metricKey] = autoscalingKeys.metric;
    const scalerClass = (annotations[classKey] ??= config.autoscaler.podAutoscalerClass);
    annotations[metricKey] ??= DEFAULT_METRICS[scalerClass] ?? '';
    metadata.annotations = annotations;
  },

  validate({ metadata, spec }, context) {
    const ofMetadata = via('metadata', validateScaledMetadata(metadata, context));
    if (isZero(spec)) return [...ofMetadata, ...missingField('spec')];
    const ofSpec = [
      ...via('scaleTargetRef', validateReference(spec.scaleTargetRef)),
      ...validateConcurrency(spec.containerConcurrency ?? 0, context.config),
      ...validateProtocol(spec.protocolType),
    ];
    return [...ofMetadata, ...via('spec', ofSpec)];
  },
});

export const metricRules = rulesOf<Metric>({
  spec: metricSpec,
  stampsUser: false,
  setDefaults: () => undefined,
  validate({ metadata, spec }, context) {
    const ofMetadata = via('metadata', validateScaledMetadata(metadata, context));
    return isZero(spec) ? [...ofMetadata, ...missingField('spec')] : ofMetadata;
  },
});

function validateScaledMetadata(metadata: ObjectMeta, { config }: AdmissionContext): FieldErrors {
  const ofAnnotations = validateAutoscalingAnnotations(metadata.annotations ?? {}, config.autoscaler);
  return [...validateName(metadata), ...via('annotations', ofAnnotations)];
}

interface Reference {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
}

const REFERENCE_FIELDS = ['apiVersion', 'kind', 'name'] as const;

/** A reference within the namespace. */
function validateReference(reference: Reference): FieldErrors {
  const rules = { apiVersion: qualifiedNameProblems, kind: cIdentifierProblems, name: dnsLabelProblems };
  const ofFields = REFERENCE_FIELDS.flatMap((field) => {
    const value = reference[field] ?? '';
    if (value === '') return missingField(field);
    const problems = rules[field](value);
    return problems.length > 0 ? invalidValue(problems.join(', '), field) : noErrors;
  });
  const isAllowed = (name: string) => REFERENCE_FIELDS.some((field) => field === name);
  return [...refuseFields(reference, isAllowed), ...ofFields];
}

function validateProtocol(protocol: string): FieldErrors {
  if (protocol === '') return missingField('protocolType');
  return protocol === 'http1' || protocol === 'h2c' ? noErrors : invalidValue(protocol, 'protocolType');
}

const NETWORKING_KEYS = new Set(
  [INGRESS_CLASS_KEYS, CERTIFICATE_CLASS_KEYS, DISABLE_EXTERNAL_TLS_KEYS, HTTP_PROTOCOL_KEYS].flat(),
);

export const serverlessServiceRules = rulesOf<ServerlessService>({
  spec: serverlessServiceSpec,
  stampsUser: false,
  setDefaults: () => undefined,
  validate({ metadata, spec }) {
    const strange = Object.keys(metadata.annotations ?? {}).filter((key) => {
      return key.startsWith(NETWORKING_GROUP) && !NETWORKING_KEYS.has(key);
    });
    const ofAnnotations = strange.flatMap((key) => invalidKeyName(key, 'annotations'));
    if (isZero(spec)) return [...ofAnnotations, ...missingField('spec')];
    const { mode, numActivators = 0 } = spec;
    const ofSpec = [
      ...validateMode(mode ?? ''),
      ...(numActivators < 0 ? invalidValue(numActivators, 'numActivators') : noErrors),
      ...via('objectRef', validateReference(spec.objectRef)),
      ...validateProtocol(spec.protocolType),
    ];
    return [...ofAnnotations, ...via('spec', ofSpec)];
  },
});

function validateMode(mode: string): FieldErrors {
  if (mode === '') return missingField('mode');
  return mode === 'Serve' || mode === 'Proxy' ? noErrors : invalidValue(mode, 'mode');
}

export const certificateRules = rulesOf<Certificate>({
  spec: certificateSpec,
  stampsUser: false,
  setDefaults: () => undefined,
  validate({ spec }) {
    const { dnsNames, domain = '', secretName } = spec;
    const fits = dnsNames.some((name) => name === domain || name.endsWith(`.${domain}`));
    const why = 'domain must be a suffix of, or match exactly, at least one entry in dnsNames';
    return via('spec', [
      ...(dnsNames.length === 0 ? missingField('dnsNames') : noErrors),
      ...dnsNames.flatMap((name, index) => (name === '' ? invalidValue(name, `dnsNames[${index}]`) : noErrors)),
      ...(secretName === '' ? missingField('secretName') : noErrors),
      ...(domain !== '' && dnsNames.length > 0 && !fits ? invalidValue('domain', why) : noErrors),
    ]);
  },
});
