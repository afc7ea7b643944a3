/** Every kind of Knative Serving, in the order in which discovery lists groups. */
import type { Kind } from '#kube/kind.ts';
import { Certificate } from '#knative/kinds/certificate.ts';
import { ClusterDomainClaim } from '#knative/kinds/cluster-domain-claim.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Image } from '#knative/kinds/image.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Metric } from '#knative/kinds/metric.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { Service } from '#knative/kinds/service.ts';

export const knativeKinds: readonly Kind[] = [
  Service,
  Configuration,
  Revision,
  Route,
  DomainMapping,
  PodAutoscaler,
  Metric,
  Ingress,
  ServerlessService,
  Certificate,
  ClusterDomainClaim,
  Image,
];
