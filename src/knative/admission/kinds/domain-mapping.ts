import { dnsLabelProblems, dnsSubdomainProblems } from '#kube/names.ts';
import { disallowedField, type FieldErrors, fieldError, missingField, noErrors, via } from '#knative/field-error.ts';
import type { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { type AdmissionContext, isUpdate, rulesOf } from '#knative/admission/context.ts';
import { validateUserStamp } from '#knative/admission/user-stamp.ts';
import { domainMappingSpec } from '#knative/admission/wire/kinds.ts';

export const domainMappingRules = rulesOf<DomainMapping>({
  spec: domainMappingSpec,
  stampsUser: true,

  setDefaults({ metadata, spec }) {
    spec.ref.namespace ||= metadata.namespace;
  },

  validate(mapping, context) {
    const { metadata, spec } = mapping;
    const ofStamp = isUpdate(context) ? validateUserStamp(mapping, context.old) : noErrors;
    return [
      ...via('metadata', [
        ...(metadata.generateName ? disallowedField('generateName') : noErrors),
        ...validateDomain(metadata.name ?? '', context),
        ...via('annotations', ofStamp),
      ]),
      ...via('spec.ref', validateReference(spec.ref, metadata.namespace ?? '')),
    ];
  },
});

/** The name is a domain of at least two parts, and not one of the platform's own inside. */
function validateDomain(name: string, { config }: AdmissionContext): FieldErrors {
  const problem = domainProblem(name);
  const ofForm = problem === undefined ? noErrors : fieldError(`invalid name "${name}": ${problem}`, 'name');
  const clusterDomain = config.domain.localDomain.replace(/^svc\./, '');
  if (!name.endsWith(`.${clusterDomain}`)) return ofForm;
  const why = `must not be a subdomain of cluster local domain "${clusterDomain}"`;
  return [...ofForm, ...fieldError(`invalid name "${name}": ${why}`, 'name')];
}

function domainProblem(name: string): string | undefined {
  if (name === '') return 'name: Required value';
  const domain = name.replace(/\.$/, '');
  const invalid = (part: string, why: string) => `name: Invalid value: ${JSON.stringify(part)}: ${why}`;
  const problems = dnsSubdomainProblems(domain);
  if (problems.length > 0) return invalid(domain, problems.join(','));
  const labels = domain.split('.');
  if (labels.length < 2) return invalid(domain, 'should be a domain with at least two segments separated by dots');
  const bad = labels.find((label) => dnsLabelProblems(label).length > 0);
  return bad === undefined ? undefined : invalid(bad, dnsLabelProblems(bad).join(','));
}

function validateReference(reference: DomainMapping['spec']['ref'], namespace: string): FieldErrors {
  const missing = (['name', 'apiVersion', 'kind'] as const).filter((field) => !reference[field]);
  const isElsewhere = Boolean(reference.namespace && namespace && reference.namespace !== namespace);
  const details = `parent namespace: "${namespace}" does not match ref: "${reference.namespace}"`;
  return [
    ...(missing.length > 0 ? missingField(...missing) : noErrors),
    ...(reference.group ? disallowedField('group') : noErrors),
    ...(isElsewhere ? fieldError('mismatched namespaces', 'namespace', details) : noErrors),
  ];
}
