/** Limits of a namespace as a whole. */
import { documented, list, map, object, oneOf, quantity, required, string } from '#kube/schema.ts';

const scopedResourceSelectorRequirementSchema = object(
  {
    scopeName: required(
      oneOf(
        [
          'BestEffort',
          'CrossNamespacePodAffinity',
          'NotBestEffort',
          'NotTerminating',
          'PriorityClass',
          'Terminating',
          'VolumeAttributesClass',
        ],
        'Name of the scope.',
      ),
    ),
    operator: required(oneOf(['DoesNotExist', 'Exists', 'In', 'NotIn'], 'How it relates to the values.')),
    values: list(string(), 'Values for In and NotIn.'),
  },
  { name: 'io.k8s.api.core.v1.ScopedResourceSelectorRequirement', doc: 'A rule about a scope.' },
);

const scopeSelectorSchema = object(
  {
    matchExpressions: list(scopedResourceSelectorRequirementSchema, 'The rules.'),
  },
  { name: 'io.k8s.api.core.v1.ScopeSelector', doc: 'Rules that must all hold.', atomic: true },
);

export const resourceQuotaSpecSchema = object(
  {
    hard: map(quantity(), 'Limit of each resource.'),
    scopes: list(
      oneOf([
        'BestEffort',
        'CrossNamespacePodAffinity',
        'NotBestEffort',
        'NotTerminating',
        'PriorityClass',
        'Terminating',
        'VolumeAttributesClass',
      ]),
      'Scopes that every counted object must be in.',
    ),
    scopeSelector: documented(scopeSelectorSchema, 'Scopes by rules.'),
  },
  { name: 'io.k8s.api.core.v1.ResourceQuotaSpec', doc: 'Limits of the namespace.' },
);

export const resourceQuotaStatusSchema = object(
  {
    hard: map(quantity(), 'Limits in force.'),
    used: map(quantity(), 'What is used.'),
  },
  { name: 'io.k8s.api.core.v1.ResourceQuotaStatus', doc: 'Limits and use.' },
);
