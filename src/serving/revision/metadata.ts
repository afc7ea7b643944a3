/** Labels and annotations that a Revision hands down to what it makes. Pure. */
import { annotationsOf, labelsOf, nameOf, uidOf } from '#kube/object.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import {
  APP_LABEL,
  AUTOSCALING_GROUP,
  LAST_PINNED_ANNOTATION,
  NO_GC_ANNOTATION,
  REVISION_LABEL,
  REVISION_UID_LABEL,
  ROUTE_LABEL,
  ROUTES_ANNOTATION,
  ROUTING_STATE_LABEL,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  withoutKeys,
} from '#knative/labels.ts';

/** What Routes lead to a Revision is no property of its pods: it changes while they run. */
export function childLabels(revision: Revision): Record<string, string> {
  const labels: Record<string, string> = {
    ...withoutKeys(labelsOf(revision), [ROUTE_LABEL, ROUTING_STATE_LABEL]),
    [REVISION_LABEL]: nameOf(revision),
    [REVISION_UID_LABEL]: uidOf(revision),
  };
  labels[APP_LABEL] ??= nameOf(revision);
  return labels;
}

export function childAnnotations(revision: Revision): Record<string, string> {
  return withoutKeys(annotationsOf(revision), [
    LAST_PINNED_ANNOTATION,
    NO_GC_ANNOTATION,
    ROUTES_ANNOTATION,
    ROUTING_STATE_MODIFIED_ANNOTATION,
  ]);
}

/** Settings of the autoscaler may change without a new pod. */
export function isAutoscalingKey(key: string): boolean {
  return key.startsWith(AUTOSCALING_GROUP);
}

/** Knative owns these keys on its children; all others belong to whoever set them. */
export function isKnativeKey(key: string): boolean {
  return key === APP_LABEL || key.includes('knative.dev/');
}
