/**
 * serving.knative.dev/v1alpha1, the first form of Knative's kinds (up to 2020), served as a view of v1. Its schema is
 * open: what an old manifest may say is decided by the conversion in `#knative/legacy/`.
 */
import { defineKind, type Kind } from '#kube/kind.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { open } from '#knative/kinds/fields.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';

type Json = Record<string, unknown>;

function legacyOf({ kind, plural, shortNames, categories, columns }: Kind, doc: string) {
  return defineKind({
    apiVersion: 'serving.knative.dev/v1alpha1',
    kind,
    plural,
    shortNames,
    categories,
    columns,
    doc,
    properties: { spec: open<Json>('The old form of the spec.'), status: open<Json>('The old form of the status.') },
    isCustom: true,
  });
}

export const ServiceV1alpha1 = legacyOf(
  Service,
  'A Service in its first form: runLatest, pinned or release, or a template and its traffic.',
);
export const ConfigurationV1alpha1 = legacyOf(
  Configuration,
  'A Configuration in its first form, with revisionTemplate.',
);
export const RevisionV1alpha1 = legacyOf(Revision, 'A Revision in its first form, with a single container.');
export const RouteV1alpha1 = legacyOf(Route, 'A Route in its first form, where targets have names instead of tags.');
