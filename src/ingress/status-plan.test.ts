/** What the status of an Ingress says, by what became of it and what gateways acknowledged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ingressConditions } from '#knative/conditions.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { type IngressStatus, planIngressStatus } from '#ingress/status-plan.ts';
import type { Publication } from '#ingress/table-builder.ts';
import { draftOf, stored, toldBy } from '#testing/knative-objects.ts';

const PUBLISHED: Publication = { generation: 1, state: 'published', version: 5, sinceMs: 0 };
const POSTPONED: Publication = { ...PUBLISHED, state: 'postponed' };
const CONFLICT: Publication = { ...PUBLISHED, state: 'conflict' };

function plan(publication: Publication, acknowledged: number, status: object = {}, clusterDomain = 'cluster.local') {
  const ingress = stored(Ingress, 'i', { spec: {}, status });
  const before: IngressStatus = { ...status };
  const draft = draftOf(ingressConditions, before);
  planIngressStatus({ ingress, publication, acknowledged }, draft, clusterDomain);
  return draft.status;
}

const served = { ...plan(PUBLISHED, 5), observedGeneration: 1 };

test('served: where to find the gateway, from outside and from inside', () => {
  const { conditions: _, ...rest } = plan(PUBLISHED, 5, {}, 'my.domain');
  assert.deepEqual(rest, {
    publicLoadBalancer: { ingress: [{ domainInternal: 'kourier.kourier-system.svc.my.domain' }] },
    privateLoadBalancer: { ingress: [{ domainInternal: 'kourier-internal.kourier-system.svc.my.domain' }] },
  });
});

const WAITING = ['LoadBalancerReady Unknown', 'Ready Unknown'].map(
  (type) => `${type} Uninitialized: Waiting for load balancer to be ready`,
);
const REJECTED = 'DomainConflict: Ingress rejected: ingress has a conflicting domain with another ingress';
const SERVED = ['LoadBalancerReady True', 'NetworkConfigured True', 'Ready True'];
const ON_ITS_WAY = [WAITING[0], 'NetworkConfigured True', WAITING[1]];

const ROWS: readonly [string, Publication, number, object, (string | undefined)[]][] = [
  ['acknowledged', PUBLISHED, 5, {}, SERVED],
  ['a later version acknowledged', PUBLISHED, 9, {}, SERVED],
  ['not acknowledged yet', PUBLISHED, 4, {}, ON_ITS_WAY],
  ['no gateway', PUBLISHED, 0, {}, ON_ITS_WAY],
  ['in no version yet', { ...PUBLISHED, version: 0 }, 0, {}, ON_ITS_WAY],
  ['waiting for a Service', POSTPONED, 9, {}, ON_ITS_WAY],
  [
    'a host of another’s',
    CONFLICT,
    9,
    {},
    [`LoadBalancerReady False ${REJECTED}`, 'NetworkConfigured Unknown', `Ready False ${REJECTED}`],
  ],
  ['ready before control started again', PUBLISHED, 0, served, SERVED],
  ['ready at an older generation', PUBLISHED, 0, { ...served, observedGeneration: 0 }, ON_ITS_WAY],
  [
    'ready under another cluster domain',
    PUBLISHED,
    0,
    { ...plan(PUBLISHED, 5, {}, 'old'), observedGeneration: 1 },
    ON_ITS_WAY,
  ],
];

for (const [what, publication, acknowledged, status, expected] of ROWS) {
  test(what, () => assert.deepEqual(toldBy(plan(publication, acknowledged, status)), expected));
}
