/** The Revision that a Configuration makes of its template. Pure. */
import { clone } from '#base/json.ts';
import { typed } from '#kube/kind.ts';
import { annotationsOf, labelsOf, nameOf, type ObjectMeta, uidOf } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { formatTime } from '#kube/time.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import {
  CONFIGURATION_GENERATION_LABEL,
  CONFIGURATION_LABEL,
  CONFIGURATION_UID_LABEL,
  CREATOR_ANNOTATION,
  LAST_MODIFIER_ANNOTATION,
  ROUTES_ANNOTATION,
  ROUTING_STATE_LABEL,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  SERVICE_LABEL,
  SERVICE_UID_LABEL,
} from '#knative/labels.ts';
import { revisionName } from '#knative/names.ts';

export function generationOf(configuration: Configuration): number {
  return configuration.metadata.generation ?? 0;
}

/** Which generation of its Configuration a Revision is; undefined for one made by hand. */
export function configurationGeneration(revision: Revision): number | undefined {
  const label = labelsOf(revision)[CONFIGURATION_GENERATION_LABEL];
  return label !== undefined && /^-?\d+$/.test(label) ? Number(label) : undefined;
}

/**
 * Born active where the Configuration says that Routes lead to it, as every Service's does, and pending otherwise:
 * then the labeler has yet to look at it.
 */
export function desiredRevision(configuration: Configuration, nowMs: number): Revision {
  const { metadata: template = {}, spec } = configuration.spec.template;
  const metadata: ObjectMeta = {
    name: template.name || revisionName(nameOf(configuration), generationOf(configuration)),
    namespace: configuration.metadata.namespace,
    labels: { ...template.labels, ...ownLabels(configuration) },
    annotations: { ...template.annotations, ...ownAnnotations(configuration, nowMs) },
    ownerReferences: [controllerRefTo(configuration)],
  };
  if (template.finalizers) metadata.finalizers = [...template.finalizers];
  return typed(Revision, { metadata, spec: clone(spec) });
}

function ownLabels(configuration: Configuration): Record<string, string> {
  const labels: Record<string, string> = {
    [CONFIGURATION_LABEL]: nameOf(configuration),
    [CONFIGURATION_GENERATION_LABEL]: String(generationOf(configuration)),
    [CONFIGURATION_UID_LABEL]: uidOf(configuration),
    [ROUTING_STATE_LABEL]: isRouted(configuration) ? 'active' : 'pending',
  };
  for (const key of [SERVICE_LABEL, SERVICE_UID_LABEL]) {
    const value = labelsOf(configuration)[key];
    if (value) labels[key] = value;
  }
  return labels;
}

function ownAnnotations(configuration: Configuration, nowMs: number): Record<string, string> {
  const annotations: Record<string, string> = { [ROUTING_STATE_MODIFIED_ANNOTATION]: formatTime(nowMs) };
  const { [LAST_MODIFIER_ANNOTATION]: modifier, [ROUTES_ANNOTATION]: routes } = annotationsOf(configuration);
  if (modifier !== undefined) annotations[CREATOR_ANNOTATION] = modifier;
  if (routes !== undefined) annotations[ROUTES_ANNOTATION] = routes;
  return annotations;
}

function isRouted(configuration: Configuration): boolean {
  return annotationsOf(configuration)[ROUTES_ANNOTATION] !== undefined;
}
