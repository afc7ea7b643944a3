/** Admission beyond what was recorded (`oracle.test.ts`): updates, stamps, newer features. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clone, deepFreeze } from '#base/json.ts';
import { type AdmissionContext } from '#knative/admission/context.ts';
import { admittedResources, mutate, validate } from '#knative/admission/admission.ts';
import { parseKnativeConfig } from '#knative/config/all.ts';
import { CREATOR_ANNOTATION, LAST_MODIFIER_ANNOTATION } from '#knative/labels.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { Revision } from '#knative/kinds/revision.ts';
import type { Container, RevisionSpec } from '#knative/kinds/revision-spec.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';

const container = { image: 'dev.local/hello:1' };

type Content = Service & { spec: { template: { spec: RevisionSpec } } };

function service(spec: object = {}, metadata: object = {}): Content {
  const object = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'ns', ...metadata },
    spec: { template: { spec: { containers: [container], ...spec } } },
  };
  return clone(object) as unknown as Content;
}

function contextWith(data: Record<string, Record<string, string>> = {}, rest: Partial<AdmissionContext> = {}) {
  const configMaps = Object.entries(data).map(([name, texts]) => ({ metadata: { name }, data: texts }));
  return { config: parseKnativeConfig(configMaps), operation: 'CREATE', user: 'alice', ...rest } as const;
}

/** As it would be stored. */
function created(object: Content, context: AdmissionContext = contextWith()): Content {
  assert.equal(mutate(Service, context, object).denied, undefined);
  return deepFreeze(object);
}

/** What an update of `old` by `user` comes to. */
function updated(old: Content, change: (object: Content) => void, user = 'bob') {
  const object = clone(old);
  change(object);
  const context = contextWith({}, { operation: 'UPDATE', old, user });
  const { denied } = mutate(Service, context, object);
  assert.equal(denied, undefined);
  return { object, verdict: validate(Service, context, object) };
}

const PREFIX = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: ';

function denied(verdict: { denied?: string | undefined }): string | undefined {
  return verdict.denied?.replace(PREFIX, '');
}

test('every kind of Knative but the two that its webhook passes over is admitted', () => {
  assert.equal(admittedResources.length, 10);
  assert.ok(!admittedResources.includes('images.caching.internal.knative.dev'));
  assert.ok(!admittedResources.includes('clusterdomainclaims.networking.internal.knative.dev'));
});

test('whoever makes a Service is its creator; whoever changes its spec the last modifier', () => {
  const first = created(service());
  assert.equal(first.metadata.annotations?.[CREATOR_ANNOTATION], 'alice');
  const { object: relabelled } = updated(first, ({ metadata }) => (metadata.labels = { l: 'v' }));
  assert.equal(relabelled.metadata.annotations?.[LAST_MODIFIER_ANNOTATION], 'alice');
  const { object: changed, verdict } = updated(first, ({ spec }) => (spec.template.spec.timeoutSeconds = 7));
  assert.equal(changed.metadata.annotations?.[LAST_MODIFIER_ANNOTATION], 'bob');
  assert.equal(changed.metadata.annotations?.[CREATOR_ANNOTATION], 'alice');
  assert.equal(denied(verdict), undefined);
});

test('a default that is new since the object was stored is no change by the user', () => {
  const stored = service();
  created(stored);
  const { object } = updated(stored, ({ spec }) => delete spec.template.spec.timeoutSeconds);
  assert.equal(object.spec.template.spec.timeoutSeconds, 300);
  assert.equal(object.metadata.annotations?.[LAST_MODIFIER_ANNOTATION], 'alice');
});

test('an owned Route carries no stamp of its own', () => {
  const route = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Route',
    metadata: { name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'a', uid: 'u' }] },
    spec: { traffic: [{ configurationName: 'a', percent: 100 }] },
  } as Route;
  mutate(Route, contextWith(), route);
  assert.equal(route.metadata.annotations, undefined);
});

test('a template that keeps its name is not filled in anew', () => {
  const old = service({}, {});
  old.spec.template.metadata = { name: 'a-one' };
  created(old);
  const { object, verdict } = updated(old, ({ spec }) => delete spec.template.spec.enableServiceLinks);
  assert.equal(object.spec.template.spec.enableServiceLinks, undefined);
  assert.match(
    denied(verdict) ?? '',
    /^Saw the following changes without a name change \(-old \+new\): spec\.template\.metadata\.name\n.*EnableServiceLinks:\n\t-: "false"\n\t\+: "nil"\n$/,
  );
});

test('a write of the status is not judged by the spec, nor completed', () => {
  const old = service({ timeoutSeconds: 9999 });
  const context = contextWith({}, { operation: 'UPDATE', subresource: 'status', old });
  const object = clone(old);
  assert.deepEqual(mutate(Service, context, object), { warnings: [] });
  assert.deepEqual(object, old);
  assert.deepEqual(validate(Service, context, object), { warnings: [] });
});

test('completing an object twice changes nothing more', () => {
  const text = fc.constantFrom('', 'x', 'h2c', 'TCP');
  const spec = fc.record(
    {
      containers: fc.array(
        fc.record(
          { image: text, name: text, ports: fc.array(fc.record({ containerPort: fc.nat(9999) })) },
          { requiredKeys: [] },
        ),
        { maxLength: 3 },
      ),
      timeoutSeconds: fc.integer({ min: -5, max: 700 }),
      volumes: fc.array(fc.record({ name: text, emptyDir: fc.constant({}) }, { requiredKeys: ['name'] }), {
        maxLength: 2,
      }),
      enableServiceLinks: fc.boolean(),
      nodeSelector: fc.dictionary(text, text),
    },
    { requiredKeys: ['containers'] },
  );
  fc.assert(
    fc.property(spec, (value) => {
      const once = service(value);
      mutate(Service, contextWith(), once);
      const twice = clone(once);
      mutate(Service, contextWith(), twice);
      assert.deepEqual(twice, once);
    }),
  );
});

const secure = (data: string) => contextWith({ 'config-features': { 'secure-pod-defaults': data } });

test('AllowRootBounded: safe settings, root left alone, no warning', () => {
  const object = service();
  const context = secure('AllowRootBounded');
  mutate(Service, context, object);
  const [first] = object.spec.template.spec.containers as [Container];
  assert.deepEqual(first.securityContext, {
    allowPrivilegeEscalation: false,
    seccompProfile: { type: 'RuntimeDefault' },
    capabilities: { drop: ['ALL'] },
  });
  assert.deepEqual(validate(Service, context, object), { warnings: [] });
});

const probes: [string, object, string | undefined][] = [
  ['a startup probe needs a handler', { startupProbe: {} }, 'expected exactly one, got neither'],
  ['a startup probe may name the port', { startupProbe: { tcpSocket: { port: 'http' } } }, undefined],
  [
    'gRPC beside another',
    { livenessProbe: { grpc: { port: 1 }, exec: {} } },
    'expected exactly one, got both: spec.template.spec.containers[0].livenessProbe.exec, spec.template.spec.containers[0].livenessProbe.gRPC',
  ],
];
for (const [name, fields, expected] of probes) {
  test(name, () => {
    const object = service({ containers: [{ ...container, ...fields }] });
    mutate(Service, contextWith(), object);
    const text = denied(validate(Service, contextWith(), object));
    if (expected === undefined) assert.equal(text, undefined);
    else assert.ok(text?.startsWith(expected), String(text));
  });
}

test('an init container loses what Go does not know, and is refused what Knative forbids', () => {
  const init = { image: 'dev.local/hello:1', nonsense: 1, stdin: true, resources: { claims: [{ name: 'x' }] } };
  const context = contextWith({ 'config-features': { 'kubernetes.podspec-init-containers': 'enabled' } });
  const object = service({ initContainers: [init] });
  mutate(Service, context, object);
  const [first] = object.spec.template.spec.initContainers as [Container];
  assert.ok(!('nonsense' in first));
  assert.equal(first.name, 'init-container');
  assert.equal(
    denied(validate(Service, context, object)),
    'must not set the field(s): spec.template.spec.containers[0].resources.claims, spec.template.spec.containers[0].stdin',
  );
});

test('the class of a PodAutoscaler comes from the configuration', () => {
  const scaler = {
    apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
    kind: 'PodAutoscaler',
    metadata: { name: 'p' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, protocolType: 'http1' },
  } as PodAutoscaler;
  mutate(
    PodAutoscaler,
    contextWith({ 'config-autoscaler': { 'pod-autoscaler-class': 'hpa.autoscaling.knative.dev' } }),
    scaler,
  );
  assert.deepEqual(scaler.metadata.annotations, {
    'autoscaling.knative.dev/class': 'hpa.autoscaling.knative.dev',
    'autoscaling.knative.dev/metric': 'cpu',
  });
});

test('a Revision is not filled in on update, and its spec cannot change', () => {
  const old = deepFreeze({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { name: 'r' },
    spec: { containers: [{ name: 'c', image: 'dev.local/hello:1', resources: {} }] },
  }) as Revision;
  const context = contextWith({}, { operation: 'UPDATE', old });
  const same = clone(old);
  mutate(Revision, context, same);
  assert.equal(same.spec.timeoutSeconds, undefined);
  assert.equal(validate(Revision, context, same).denied, undefined);
  same.spec.timeoutSeconds = 5;
  assert.match(validate(Revision, context, same).denied ?? '', /Immutable fields changed \(-old \+new\): spec\n/);
});
