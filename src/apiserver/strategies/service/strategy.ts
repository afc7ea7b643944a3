/** Services: an address of the Service range, ports of the node where the type asks for them. */
import { type FieldError, index, invalidField } from '#kube/field-error.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { ServiceSpec } from '#kube/kinds/core/service-spec.ts';
import { dns1035LabelProblems } from '#kube/names.ts';
import { keyOf, type ObjectKey } from '#kube/object.ts';
import { invalid } from '#kube/status.ts';
import { addressErrors } from '#apiserver/pod-spec/checks.ts';
import { invalidLiteral, stringList } from '#apiserver/strategies/literals.ts';
import {
  type Claim,
  type Held,
  NODE_PORT_RANGE,
  type ServiceAllocator,
} from '#apiserver/strategies/service/allocation.ts';
import {
  alignAddresses,
  dropForType,
  isHeadless,
  keepAllocated,
  needsAddress,
  needsHealthPort,
  needsNodePorts,
  setServiceDefaults,
} from '#apiserver/strategies/service/defaults.ts';
import { serviceErrors, serviceUpdateErrors } from '#apiserver/strategies/service/validate.ts';
import { type Strategy, strategyOf } from '#apiserver/strategy.ts';
import { replaceMember } from '#apiserver/subresources.ts';

/** The platform's own gateway says which ports it really listens on; everybody else keeps to the range. */
const FREE_NODE_PORTS: readonly ObjectKey[] = ['kourier-system/kourier'];

export function serviceStrategy(allocator: ServiceAllocator): Strategy {
  return strategyOf(Service, {
    nameProblems: dns1035LabelProblems,
    allowsCreateOnUpdate: true,
    answersDeletedObject: true,
    setDefaults: setServiceDefaults,
    allocate: (service, old) => allocate(allocator, service, old),
    prepareForCreate(service) {
      service.status = { loadBalancer: {} };
    },
    validate: ({ spec }) => serviceErrors(spec),
    prepareForUpdate(service, old) {
      dropForType(service.spec, old.spec);
      if (service.spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
    },
    validateUpdate: ({ spec }, { spec: old }) => serviceUpdateErrors(spec, old),
    subresources: {
      status: {
        prepareForUpdate(service, old) {
          replaceMember(service, old, 'spec');
        },
      },
    },
  });
}

function allocate(allocator: ServiceAllocator, service: Service, old: Service | undefined): Disposable {
  const held: Held = { addresses: [], nodePorts: [] };
  const release = { [Symbol.dispose]: () => allocator.release(held) };
  const { spec } = service;
  if (old) keepAllocated(spec, old.spec);
  alignAddresses(spec, old?.spec);
  const owner = keyOf(service);
  const errors = needsAddress(spec) ? addressClaims(allocator, spec, { owner, held, old: old?.spec }) : [];
  if (errors.length === 0 && needsNodePorts(spec))
    errors.push(...portClaims(allocator, spec, { owner, held, old: old?.spec }));
  if (errors.length === 0) return release;
  release[Symbol.dispose]();
  throw invalid(Service, service.metadata.name ?? '', errors);
}

interface Claims {
  readonly owner: ObjectKey;
  readonly held: Held;
  readonly old: ServiceSpec | undefined;
}

function addressClaims(allocator: ServiceAllocator, spec: ServiceSpec, { owner, held, old }: Claims): FieldError[] {
  const policy = spec.ipFamilyPolicy;
  if (policy === 'RequireDualStack') {
    return [invalidField('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services')];
  }
  spec.ipFamilyPolicy = 'SingleStack';
  spec.ipFamilies ??= ['IPv4'];
  if (isHeadless(spec)) return [];
  const [asked = ''] = spec.clusterIPs ?? [];
  if (asked === '') return freshAddress(allocator, spec, { owner, held, old });
  const malformed = addressErrors('spec.clusterIPs[0]', asked);
  if (malformed.length > 0) return malformed;
  if (old?.clusterIPs?.[0] === asked) return [];
  // What may not change is refused later, in other words.
  if (old && needsAddress(old)) return [];
  const claim = allocator.claimAddress(asked, owner, held);
  return claim === 'claimed' ? [] : [refusedAddress(asked, claim, spec)];
}

function freshAddress(allocator: ServiceAllocator, spec: ServiceSpec, { owner, held, old }: Claims): FieldError[] {
  if (old && needsAddress(old)) return [];
  const address = allocator.anyAddress(owner, held);
  if (address === undefined) {
    return [invalidField('spec.clusterIPs', null, 'failed to allocate a serviceIP: range is full')];
  }
  spec.clusterIP = address;
  spec.clusterIPs = [address];
  return [];
}

function refusedAddress(address: string, claim: Claim, spec: ServiceSpec): FieldError {
  const why =
    claim === 'taken' ? 'provided IP is already allocated' : 'the provided network does not match the current range';
  return invalidLiteral('spec.clusterIPs', stringList(spec.clusterIPs), `failed to allocate IP ${address}: ${why}`);
}

function portClaims(allocator: ServiceAllocator, spec: ServiceSpec, { owner, held, old }: Claims): FieldError[] {
  const range = FREE_NODE_PORTS.includes(owner) ? 'anywhere' : 'node-ports';
  const kept = new Set((old?.ports ?? []).map(({ nodePort, protocol }) => `${protocol}/${nodePort}`));
  const wantsPorts = spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false;
  const errors: FieldError[] = [];
  (spec.ports ?? []).forEach((port, position) => {
    const protocol = port.protocol ?? 'TCP';
    const path = `${index('spec.ports', position)}.nodePort`;
    if (!port.nodePort) {
      const fresh = wantsPorts ? allocator.anyNodePort(owner, protocol, held) : undefined;
      if (fresh !== undefined) port.nodePort = fresh;
    } else if (!kept.has(`${protocol}/${port.nodePort}`)) {
      const claim = allocator.claimNodePort(port.nodePort, { owner, held, protocol, range });
      if (claim !== 'claimed') errors.push(invalidField(path, port.nodePort, refusedPort(claim)));
    }
  });
  if (needsHealthPort(spec) && !spec.healthCheckNodePort) {
    const fresh = allocator.anyNodePort(owner, 'TCP', held);
    if (fresh !== undefined) spec.healthCheckNodePort = fresh;
  }
  return errors;
}

function refusedPort(claim: Claim): string {
  return claim === 'taken'
    ? 'provided port is already allocated'
    : `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_RANGE}`;
}
