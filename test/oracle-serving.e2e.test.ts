/**
 * What Knative Serving 1.17 answered, made and said, replayed on a whole platform over HTTPS: every case of
 * `test/oracle/serving`, in a namespace of its own, with real containers. Cases that want the same ConfigMaps run side
 * by side.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { loadOracleCases, type OracleCase } from '#testing/oracle.ts';
import { OracleCluster } from '#testing/oracle-cluster.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler');

/** Cases that wait for most of their time, on two cores. */
const SIDE_BY_SIDE = 10;

interface Difference {
  readonly why: string;
  /** Every difference is one of these; a case that has none of them fails. */
  readonly where: RegExp;
}

/** What is otherwise here on purpose; each stands in `docs/compatibility.md`. */
const DIFFERENT: Readonly<Record<string, Difference>> = {
  'discovery-serving': {
    why: 'serving.knative.dev/v1alpha1 is served too, for manifests of the first years',
    where: /^step 1 \/body\/versions\b.*|^step 8 \/(status|headers\/content-type|body)\b/,
  },
};

const cases = loadOracleCases('serving', /./);

test('Knative Serving 1.17, as recorded', real, async (t) => {
  await using platform = await TestPlatform.start({ images: ['dev.local/hello:1', 'dev.local/oracle:1'] });
  // URLs without ports, as those of a platform on 80 and 443.
  await platform.configure('config-network', { 'external-http-port': null, 'external-https-port': null });
  using cluster = new OracleCluster(loadKubeconfig(platform.paths.kubeconfig));
  for (const [config, group] of Map.groupBy(cases, ({ config = {} }) => JSON.stringify(config))) {
    await using _ = await cluster.configure(JSON.parse(config) as NonNullable<OracleCase['config']>);
    await t.test(config === '{}' ? 'as installed' : config, { concurrency: SIDE_BY_SIDE }, async (inner) =>
      replayGroup(inner, cluster, group),
    );
  }
  await t.test('an altered recording fails', { concurrency: SIDE_BY_SIDE }, async (inner) =>
    provesItself(inner, cluster),
  );
});

async function replayGroup(t: TestContext, cluster: OracleCluster, group: readonly OracleCase[]): Promise<void> {
  const replay = async (one: OracleCase) =>
    t.test(`${one.name}: ${one.why}`, async () => judge(one.name, await cluster.replay(one)));
  await Promise.all(group.filter(({ alone }) => !alone).map(replay));
  for (const one of group.filter(({ alone }) => alone)) await replay(one);
}

function judge(name: string, differences: readonly string[]): void {
  const expected = DIFFERENT[name];
  if (!expected) return assert.equal(differences.join('\n'), '');
  const others = differences.filter((line) => !expected.where.test(line));
  assert.equal(others.join('\n'), '');
  assert.notEqual(differences.length, 0, `${name} differs no more (${expected.why}): it belongs out of the table`);
}

/** Recordings with one thing changed each, by kind of step; just that must be reported. */
const ALTERED: readonly { name: string; step: number; at: string; value: unknown }[] = [
  { name: 'admit-service-minimal', step: 1, at: '/body/spec/template/spec/timeoutSeconds', value: 301 },
  { name: 'admit-service-minimal', step: 1, at: '/headers/warning', value: '299 - "all is well"' },
  { name: 'admit-service-minimal', step: 1, at: '/body/metadata/uid', value: '<uid Service.serving.knative.dev/b>' },
  {
    name: 'life-configuration',
    step: 2,
    at: '/objects/configurations.serving.knative.dev/c/status/conditions/0/status',
    value: 'False',
  },
  {
    name: 'life-configuration',
    step: 2,
    at: '/objects/events/Revision c-00001 Normal RevisionReady/0',
    value: 'Revision is ready',
  },
  { name: 'table-ready', step: 3, at: '/rows/0/4', value: 'False' },
];

async function provesItself(t: TestContext, cluster: OracleCluster): Promise<void> {
  await using _ = await cluster.configure({ 'config-domain': { 'example.com': '' } });
  const replay = async ({ name, step, at, value }: (typeof ALTERED)[number]) =>
    t.test(`${name}, step ${step}, ${at}`, async () => {
      const original = cases.find((one) => one.name === name);
      assert.ok(original);
      const path = `/steps/${step - 1}/recorded${at}`;
      const altered = applyJsonPatch(original, [{ op: 'replace', path, value }]) as OracleCase;
      const differences = await cluster.replay(altered);
      assert.deepEqual(
        differences.map((line) => line.split(': recorded ')[0]),
        [`step ${step} ${at}`],
      );
      assert.throws(() => judge(name, differences));
    });
  await Promise.all(ALTERED.map(replay));
  assert.throws(() => judge('discovery-serving', []), /differs no more/);
}
