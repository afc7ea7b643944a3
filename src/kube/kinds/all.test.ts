import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typed } from '#kube/kind.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { Schema } from '#kube/schema.ts';
import { recordedCases } from '#testing/recorded-http.ts';

test('every kind has the names under which Kubernetes serves it', () => {
  const rows = builtinKinds.map(({ group, version, kind, plural, singular, shortNames, categories, namespaced }) =>
    [group, version, kind, plural, singular, shortNames.join('+'), categories.join('+'), namespaced ? 'ns' : 'cluster']
      .join(' ')
      .trim(),
  );
  assert.deepEqual(rows, [
    'v1 ConfigMap configmaps configmap cm  ns',
    'v1 Endpoints endpoints endpoints ep  ns',
    'v1 Event events event ev  ns',
    'v1 Namespace namespaces namespace ns  cluster',
    'v1 Node nodes node no  cluster',
    'v1 Pod pods pod po all ns',
    'v1 ResourceQuota resourcequotas resourcequota quota  ns',
    'v1 Secret secrets secret   ns',
    'v1 ServiceAccount serviceaccounts serviceaccount sa  ns',
    'v1 Service services service svc all ns',
    'admissionregistration.k8s.io v1 MutatingWebhookConfiguration mutatingwebhookconfigurations mutatingwebhookconfiguration  api-extensions cluster',
    'admissionregistration.k8s.io v1 ValidatingWebhookConfiguration validatingwebhookconfigurations validatingwebhookconfiguration  api-extensions cluster',
    'apiextensions.k8s.io v1 CustomResourceDefinition customresourcedefinitions customresourcedefinition crd+crds api-extensions cluster',
    'apps v1 Deployment deployments deployment deploy all ns',
    'apps v1 ReplicaSet replicasets replicaset rs all ns',
    'autoscaling v2 HorizontalPodAutoscaler horizontalpodautoscalers horizontalpodautoscaler hpa all ns',
    'batch v1 Job jobs job  all ns',
    'coordination.k8s.io v1 Lease leases lease   ns',
    'discovery.k8s.io v1 EndpointSlice endpointslices endpointslice   ns',
    'events.k8s.io v1 Event events event ev  ns',
    'policy v1 PodDisruptionBudget poddisruptionbudgets poddisruptionbudget pdb  ns',
    'rbac.authorization.k8s.io v1 ClusterRoleBinding clusterrolebindings clusterrolebinding   cluster',
    'rbac.authorization.k8s.io v1 ClusterRole clusterroles clusterrole   cluster',
    'rbac.authorization.k8s.io v1 RoleBinding rolebindings rolebinding   ns',
    'rbac.authorization.k8s.io v1 Role roles role   ns',
  ]);
});

interface Resource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

test('names are those of a recorded discovery', () => {
  let rows = 0;
  for (const { path, expect } of recordedCases(/^discovery-(core|groups)/).flatMap(({ steps }) => steps)) {
    const [, group = ''] = /^\/apis\/([^/]+)\//.exec(path) ?? [];
    for (const resource of resourcesIn(expect.body)) {
      const kind = builtinKinds.find((one) => one.group === group && one.plural === resource.name);
      if (kind === undefined) continue;
      const { singularName, namespaced, shortNames = [], categories = [] } = resource;
      assert.deepEqual(
        [kind.kind, kind.singular, kind.namespaced, kind.shortNames, kind.categories],
        [resource.kind, singularName, namespaced, shortNames, categories],
        path,
      );
      rows += 1;
    }
  }
  assert.ok(rows >= 20, `only ${rows}`);
});

function resourcesIn(body: unknown): Resource[] {
  const answer = (body ?? {}) as Record<string, unknown>;
  const listed = (answer['resources'] ?? []) as Resource[];
  const picked = Object.entries(answer).filter(
    ([pointer, value]) => pointer.startsWith('/resources/') && value !== null,
  );
  return [...listed, ...picked.map(([, value]) => value as Resource)];
}

test('every field of every kind is documented, and list maps name members that their elements have', () => {
  let fields = 0;
  const visit = (schema: Schema, path: string) => {
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      fields += 1;
      assert.notEqual(member.doc, '', `${path}.${name} has no words`);
      visit(member, `${path}.${name}`);
    }
    for (const key of schema.listMapKeys ?? []) assert.ok(schema.items?.properties?.[key], `${path} lacks ${key}`);
    if (schema.patchMergeKey) assert.ok(schema.items?.properties?.[schema.patchMergeKey], `${path}: merge key`);
    if (schema.items) visit(schema.items, `${path}[]`);
  };
  for (const kind of builtinKinds) visit(kind.schema, kind.kind);
  assert.ok(fields > 2000, `only ${fields} fields were seen`);
});

test('types follow from the schemas', () => {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'app', image: 'a:1' }] } };
  const deployment: Deployment = typed(Deployment, {
    metadata: { name: 'a' },
    spec: { replicas: 0, selector: { matchLabels: { app: 'a' } }, template },
  });
  const pod: Pod = typed(Pod, { metadata: {}, spec: deployment.spec.template.spec });
  assert.deepEqual([pod.apiVersion, pod.kind, pod.spec.containers[0]?.image], ['v1', 'Pod', 'a:1']);
  // @ts-expect-error a Pod has a spec
  const without: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: {} };
  assert.ok(without);
});
