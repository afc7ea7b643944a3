/** Tables of services and of what stands behind them. */
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { ServiceSpec } from '#kube/kinds/core/service-spec.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { listOf } from '#apiserver/lists.ts';
import {
  ageColumn,
  ageOf,
  column,
  labelText,
  nameColumn,
  NONE,
  noneIfEmpty,
  tableFor,
  wide,
} from '#apiserver/table/columns.ts';

export const serviceTable = tableFor(Service, {
  columns: [
    nameColumn,
    column('Type', 'How the service can be reached.'),
    column('Cluster-IP', 'Its address inside.'),
    column('External-IP', 'Its addresses or its name outside.'),
    column('Port(s)', 'Its ports, each with the port of the node if there is one.'),
    ageColumn,
    wide('Selector', 'Labels of the pods behind it.'),
  ],
  row: (service, now) => ({
    cells: [
      service.metadata.name ?? '',
      service.spec.type ?? '',
      service.spec.clusterIPs?.[0] ?? NONE,
      externalAddress(service),
      noneIfEmpty(portsText(service.spec.ports ?? [])),
      ageOf(service, now),
      labelText(service.spec.selector),
    ],
  }),
});

function externalAddress({ spec, status }: Service): string {
  const { type, externalIPs = [], externalName = '' } = spec;
  if (type === 'ExternalName') return externalName;
  if (type !== 'LoadBalancer') return noneIfEmpty(externalIPs.join(','));
  const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
  const addresses = [...new Set(given.filter((one) => one !== ''))].sort();
  return [...addresses, ...externalIPs].join(',') || '<pending>';
}

function portsText(ports: NonNullable<ServiceSpec['ports']>): string {
  return ports
    .map(({ port, nodePort = 0, protocol = '' }) => `${nodePort > 0 ? `${port}:${nodePort}` : port}/${protocol}`)
    .join(',');
}

/** As many addresses or ports as are shown before the rest is counted. */
const MAX_SHOWN = 3;

function shortened(all: readonly (string | number)[]): string {
  const shown = all.slice(0, MAX_SHOWN).join(',');
  return all.length > MAX_SHOWN ? `${shown} + ${all.length - MAX_SHOWN} more...` : shown;
}

export const endpointsTable = tableFor(Endpoints, {
  columns: [nameColumn, column('Endpoints', 'Addresses that are ready.'), ageColumn],
  row: (endpoints, now) => ({
    cells: [endpoints.metadata.name ?? '', endpointsText(endpoints), ageOf(endpoints, now)],
  }),
});

function endpointsText({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return NONE;
  return shortened(
    subsets.flatMap(({ addresses = [], ports = [] }) => {
      const ips = addresses.map(({ ip }) => ip);
      return ports.length === 0 ? ips : ports.flatMap(({ port }) => ips.map((ip) => withPort(ip, port)));
    }),
  );
}

function withPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

const UNSET = '<unset>';

export const endpointSliceTable = tableFor(EndpointSlice, {
  columns: [
    nameColumn,
    column('AddressType', 'What sort of addresses it holds.'),
    column('Ports', 'Ports of every endpoint.'),
    column('Endpoints', 'Addresses of the endpoints.'),
    ageColumn,
  ],
  row: (slice, now) => ({
    cells: [
      slice.metadata.name ?? '',
      slice.addressType,
      shortened(listOf(slice.ports).map(({ port, name }) => port ?? name ?? '*')) || UNSET,
      shortened(listOf(slice.endpoints).flatMap(({ addresses }) => addresses)) || UNSET,
      ageOf(slice, now),
    ],
  }),
});
