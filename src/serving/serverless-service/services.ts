/**
 * The two Services of a revision and the Endpoints of the public one. Pure.
 *
 * The private Service selects the revision's pods, at the port that the user's container listens on: there is no
 * sidecar in between. The public one has no selector; its Endpoints are the pods, or the activator while there are
 * none, so that its address leads to the revision at any time. Names and ports of the public Service are Knative's;
 * as it has no selector, its target ports are only told.
 */
import { typed } from '#kube/kind.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { EndpointSubset } from '#kube/kinds/core/endpoints-subset.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { ServicePort } from '#kube/kinds/core/service-spec.ts';
import { annotationsOf, labelsOf, nameOf, type ObjectMeta } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import type { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { SERVICE_TYPE_LABEL, type ServiceType, SKS_LABEL } from '#knative/labels.ts';
import { privateServiceName } from '#knative/names.ts';
import type { ActivatorEndpoint } from '#serving/environment.ts';
import { USER_PORT_NAME } from '#serving/revision/pod-spec.ts';
import { PUBLIC_PORTS } from '#serving/revision/protocol.ts';

const BACKEND_PORTS = { http1: 8012, h2c: 8013 } as const;
const BACKEND_TLS_PORT = 8112;

function isH2c({ spec }: ServerlessService): boolean {
  return spec.protocolType === 'h2c';
}

/** Port names select the protocol: gateways speak HTTP/2 to `http2`. */
function portNameOf(sks: ServerlessService): string {
  return isH2c(sks) ? 'http2' : 'http';
}

function mainPort(sks: ServerlessService, at: Pick<ServicePort, 'port' | 'targetPort'>): ServicePort {
  const port: ServicePort = { name: portNameOf(sks), protocol: 'TCP', ...at };
  return isH2c(sks) ? { ...port, appProtocol: 'kubernetes.io/h2c' } : port;
}

function metadataFor(sks: ServerlessService, name: string, type: ServiceType): ObjectMeta {
  return {
    name,
    namespace: sks.metadata.namespace,
    labels: { ...labelsOf(sks), [SKS_LABEL]: nameOf(sks), [SERVICE_TYPE_LABEL]: type },
    annotations: { ...annotationsOf(sks) },
    ownerReferences: [controllerRefTo(sks)],
  };
}

export function desiredPrivateService(sks: ServerlessService, selector: Record<string, string>): Service {
  const ports = [mainPort(sks, { port: 80, targetPort: USER_PORT_NAME })];
  const metadata = metadataFor(sks, privateServiceName(nameOf(sks)), 'Private');
  return typed(Service, { metadata, spec: { ports, selector: { ...selector } } });
}

export function desiredPublicService(sks: ServerlessService): Service {
  const protocol = isH2c(sks) ? 'h2c' : 'http1';
  const ports: ServicePort[] = [
    mainPort(sks, { port: PUBLIC_PORTS[protocol], targetPort: BACKEND_PORTS[protocol] }),
    { name: 'https', protocol: 'TCP', port: 443, targetPort: BACKEND_TLS_PORT },
  ];
  return typed(Service, { metadata: metadataFor(sks, nameOf(sks), 'Public'), spec: { ports } });
}

export function desiredEndpoints(sks: ServerlessService, subsets: readonly EndpointSubset[]): Endpoints {
  return typed(Endpoints, { metadata: metadataFor(sks, nameOf(sks), 'Public'), subsets: [...subsets] });
}

/** The pods, at the revision's port only. */
export function podSubsets(sks: ServerlessService, endpoints: Endpoints | undefined): EndpointSubset[] {
  const name = portNameOf(sks);
  return (endpoints?.subsets ?? []).flatMap(({ ports = [], ...rest }) => {
    const kept = ports.filter((port) => port.name === name);
    return kept.length === 0 ? [] : [{ ...rest, ports: kept }];
  });
}

export function activatorSubsets(sks: ServerlessService, activators: readonly ActivatorEndpoint[]): EndpointSubset[] {
  const ports = [...new Set(activators.map(({ port }) => port))];
  const appProtocol = isH2c(sks) ? { appProtocol: 'kubernetes.io/h2c' } : {};
  return ports.map((port) => ({
    addresses: activators.filter((one) => one.port === port).map(({ ip }) => ({ ip })),
    ports: [{ name: portNameOf(sks), port, protocol: 'TCP', ...appProtocol }],
  }));
}

export function readyCount(endpoints: Endpoints | undefined): number {
  return (endpoints?.subsets ?? []).reduce((sum, { addresses = [] }) => sum + addresses.length, 0);
}
