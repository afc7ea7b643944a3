/**
 * serving.knative.dev/v1alpha1 as views of v1: objects are stored in v1, old manifests are converted on their way in,
 * and whoever asks for the old version gets the old members of the status.
 *
 * A manifest that cannot be converted is refused in the words of Knative's webhook. What is wrong with the template
 * itself is found later, in v1, and so with the paths of v1.
 */
import { isObject } from '#base/json.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { badRequest } from '#kube/status.ts';
import { renderErrors, via } from '#knative/field-error.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { ConfigurationV1alpha1, RevisionV1alpha1, RouteV1alpha1, ServiceV1alpha1 } from '#knative/kinds/legacy.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';
import { revisionStatusFromV1, routeStatusFromV1 } from '#knative/legacy/from-v1.ts';
import {
  configurationSpecToV1,
  type Converted,
  type Json,
  revisionSpecToV1,
  routeSpecToV1,
  serviceSpecToV1,
} from '#knative/legacy/to-v1.ts';

const V1 = 'serving.knative.dev/v1';
const V1ALPHA1 = 'serving.knative.dev/v1alpha1';

/** An old version of a kind, and how to get from and to what is stored; neither changes its argument. */
export interface LegacyView {
  readonly kind: Kind;
  readonly storedAs: Kind;
  /** Throws a `StatusError` for what cannot be said in v1. */
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

interface Rules {
  readonly kind: Kind;
  readonly storedAs: Kind;
  readonly specToV1: (spec: Json, conversion: { isUpdate: boolean }) => Converted;
  readonly statusFromV1: (status: Json, object: KubeObject) => Json;
}

function viewOf({ kind, storedAs, specToV1, statusFromV1 }: Rules): LegacyView {
  return {
    kind,
    storedAs,
    toStored(object) {
      const { spec, status, ...rest } = object as KubeObject & { spec?: unknown; status?: unknown };
      const isUpdate = object.metadata.uid !== undefined;
      const { value, errors } = specToV1(isObject(spec) ? spec : {}, { isUpdate });
      const text = renderErrors(via('spec', errors));
      if (text !== undefined) throw badRequest(refusal(text));
      const stored = { ...rest, apiVersion: V1, spec: value };
      return status === undefined ? stored : { ...stored, status };
    },
    fromStored(object) {
      const { status, ...rest } = object as KubeObject & { status?: unknown };
      const view = { ...rest, apiVersion: V1ALPHA1 };
      return isObject(status) ? { ...view, status: statusFromV1(status, object) } : view;
    },
  };
}

function refusal(text: string): string {
  return `admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: ${text}`;
}

export const legacyViews: readonly LegacyView[] = [
  viewOf({
    kind: ServiceV1alpha1,
    storedAs: Service,
    specToV1: serviceSpecToV1,
    statusFromV1: routeStatusFromV1,
  }),
  viewOf({
    kind: ConfigurationV1alpha1,
    storedAs: Configuration,
    specToV1: configurationSpecToV1,
    statusFromV1: (status) => status,
  }),
  viewOf({
    kind: RevisionV1alpha1,
    storedAs: Revision,
    specToV1: revisionSpecToV1,
    statusFromV1: revisionStatusFromV1,
  }),
  viewOf({ kind: RouteV1alpha1, storedAs: Route, specToV1: routeSpecToV1, statusFromV1: routeStatusFromV1 }),
];
