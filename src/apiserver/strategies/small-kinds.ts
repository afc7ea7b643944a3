/** Kinds whose rules fit into a few lines each. */
import { deepEqual } from '#base/json.ts';
import { child, type FieldError, index, invalidField, requiredField } from '#kube/field-error.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { Lease } from '#kube/kinds/coordination/lease.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { addressErrors, notNegative, positive } from '#apiserver/pod-spec/checks.ts';
import { strategyOf } from '#apiserver/strategy.ts';
import { plainStatus } from '#apiserver/subresources.ts';

export const serviceAccountStrategy = strategyOf(ServiceAccount, { answersDeletedObject: true });

export const nodeStrategy = strategyOf(Node, { keepsStatusOnCreate: true, subresources: { status: plainStatus } });

export const leaseStrategy = strategyOf(Lease, {
  allowsCreateOnUpdate: true,
  requiresVersionOnUpdate: true,
  validate: (lease) => leaseErrors(lease),
  validateUpdate: (lease) => leaseErrors(lease),
});

function leaseErrors({ spec }: Lease): FieldError[] {
  return [
    ...positive('spec.leaseDurationSeconds', spec?.leaseDurationSeconds),
    ...notNegative('spec.leaseTransitions', spec?.leaseTransitions),
  ];
}

export const eventStrategy = strategyOf(Event, {
  allowsCreateOnUpdate: true,
  defaultPropagation: 'Unsupported',
  validate: (event) => eventErrors(event),
});

/** Where Events about objects without a namespace may be. */
const CLUSTER_EVENT_NAMESPACES = ['default', 'kube-system'];

function eventErrors({ metadata, involvedObject }: Event): FieldError[] {
  const { namespace = '' } = metadata;
  const about = involvedObject.namespace ?? '';
  const isRight = about === '' ? CLUSTER_EVENT_NAMESPACES.includes(namespace) : about === namespace;
  return isRight ? [] : [invalidField('involvedObject.namespace', about, 'does not match event.namespace')];
}

export const endpointsStrategy = strategyOf(Endpoints, {
  allowsCreateOnUpdate: true,
  setDefaults({ subsets = [] }) {
    for (const { ports = [] } of subsets) for (const port of ports) port.protocol ||= 'TCP';
  },
  validate: (endpoints) => subsetErrors(endpoints),
  validateUpdate: (endpoints) => subsetErrors(endpoints),
});

function subsetErrors({ subsets = [] }: Endpoints): FieldError[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [] }, position) => {
    const path = index('subsets', position);
    if (addresses.length + notReadyAddresses.length === 0) {
      return [requiredField(path, 'must specify `addresses` or `notReadyAddresses`')];
    }
    return [
      ...addresses.flatMap(({ ip }, at) => addressErrors(child(index(child(path, 'addresses'), at), 'ip'), ip)),
      ...notReadyAddresses.flatMap(({ ip }, at) =>
        addressErrors(child(index(child(path, 'notReadyAddresses'), at), 'ip'), ip),
      ),
    ];
  });
}

export const endpointSliceStrategy = strategyOf(EndpointSlice, {
  isNewGeneration: (slice, old) => !deepEqual(sliceContent(slice), sliceContent(old)),
  setDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  validateUpdate: (slice, old) =>
    slice.addressType === old.addressType ? [] : [invalidField('addressType', slice.addressType, IMMUTABLE)],
});

function sliceContent(slice: EndpointSlice): object {
  const { metadata, ...content } = slice;
  return { ...content, labels: metadata.labels, annotations: metadata.annotations };
}
