import {
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  via,
  viaIndex,
} from '#knative/field-error.ts';
import type { Ingress } from '#knative/kinds/ingress.ts';
import { rulesOf } from '#knative/admission/context.ts';
import { ingressSpec } from '#knative/admission/wire/kinds.ts';
import { isZero } from '#knative/admission/wire/shape.ts';

type Rule = NonNullable<Ingress['spec']['rules']>[number];
type Path = NonNullable<Rule['http']>['paths'][number];
type Split = Path['splits'][number];
type Tls = NonNullable<Ingress['spec']['tls']>[number];

export const ingressRules = rulesOf<Ingress>({
  spec: ingressSpec,
  stampsUser: false,

  setDefaults({ spec }) {
    for (const rule of spec.rules ?? []) {
      rule.visibility ??= 'ExternalIP';
      for (const { splits } of rule.http?.paths ?? []) {
        const [only, ...others] = splits ?? [];
        if (only && others.length === 0) only.percent ||= 100;
      }
    }
  },

  validate({ metadata, spec }) {
    if (isZero(spec)) return missingField('spec');
    const { rules = [], tls = [], httpOption = '' } = spec;
    const namespace = metadata.namespace ?? '';
    return via('spec', [
      ...(rules.length === 0 ? missingField('rules') : noErrors),
      ...rules.flatMap((rule, index) => viaIndex('rules', index, validateRule(rule, namespace))),
      ...tls.flatMap((entry, index) => viaIndex('tls', index, validateTls(entry))),
      ...(['', 'Enabled', 'Redirected'].includes(httpOption) ? noErrors : invalidValue(httpOption, 'httpOption')),
    ]);
  },
});

function validateRule(rule: Rule, namespace: string): FieldErrors {
  if (!rule.http) return missingField('http');
  const { paths } = rule.http;
  if (paths.length === 0) return via('http', missingField('paths'));
  const errors = paths.flatMap((path, index) => viaIndex('paths', index, validatePath(path, namespace)));
  return via('http', errors);
}

/** The first bad split is all that is spoken of. */
function validatePath(path: Path, namespace: string): FieldErrors {
  if (isZero(path)) return missingField('');
  const { splits } = path;
  if (splits.length === 0) return missingField('splits');
  for (const [index, split] of splits.entries()) {
    const errors = validateSplit(split, namespace);
    if (errors.length > 0) return viaIndex('splits', index, errors);
  }
  const total = splits.reduce((sum, { percent = 0 }) => sum + percent, 0);
  const isLoneZero = splits.length === 1 && total === 0;
  if (total === 100 || isLoneZero) return noErrors;
  return fieldError(`traffic split percentage must total to 100, but was ${total}`, 'splits');
}

function validateSplit(split: Split, namespace: string): FieldErrors {
  if (isZero(split)) return missingField('');
  const { percent = 0, serviceNamespace, serviceName, servicePort } = split;
  const isElsewhere = serviceNamespace !== '' && serviceNamespace !== namespace;
  return [
    ...(percent < 0 || percent > 100 ? invalidValue(percent, 'percent') : noErrors),
    ...(serviceNamespace === '' ? missingField('serviceNamespace') : noErrors),
    ...(isElsewhere ? fieldError('service namespace must match ingress namespace', 'serviceNamespace') : noErrors),
    ...(serviceName === '' ? missingField('serviceName') : noErrors),
    ...(isZero(servicePort) ? missingField('servicePort') : noErrors),
  ];
}

function validateTls(tls: Tls): FieldErrors {
  if (isZero(tls)) return missingField('');
  return [
    ...(tls.secretName ? noErrors : missingField('secretName')),
    ...(tls.secretNamespace ? noErrors : missingField('secretNamespace')),
  ];
}
