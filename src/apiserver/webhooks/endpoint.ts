/** The pod behind a Service: the address and port to which a webhook's connection goes. */
import type { Clock } from '#base/clock.ts';
import type { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { Store } from '#store/store.ts';

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A Service that leads nowhere; the message is Kubernetes'. */
export class NoEndpoint extends Error {}

/** One of the ready endpoints, drawn; for an ExternalName, that name. Throws NoEndpoint. */
export function resolveService(store: Store, clock: Clock, { namespace, name, port }: ServiceName): Endpoint {
  const service = store.get('services', { namespace, name })?.object as Service | undefined;
  if (!service) throw new NoEndpoint(`service ${JSON.stringify(name)} not found`);
  const { type = 'ClusterIP', externalName = '', ports = [] } = service.spec ?? {};
  if (type === 'ExternalName') return { host: externalName, port };
  const ofService = ports.find((one) => one.port === port);
  if (!ofService) throw new NoEndpoint(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const endpoints = store.get('endpoints', { namespace, name })?.object;
  const found = addressesOf(endpoints, ofService.name ?? '');
  const drawn = found[Math.floor(clock.random() * found.length)];
  if (!drawn) throw new NoEndpoint(`no endpoints available for service ${JSON.stringify(name)}`);
  return drawn;
}

function addressesOf(endpoints: Endpoints | undefined, portName: string): Endpoint[] {
  return (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const target = ports.find((one) => (one.name ?? '') === portName);
    return target ? addresses.map(({ ip }) => ({ host: ip, port: target.port })) : [];
  });
}
