/** What Knative 1.17 was seen to make of manifests, replayed: whole object trees, conditions, Events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOracleCases } from '#testing/oracle.ts';
import { replayTree, type TreeCase } from '#testing/oracle-tree.ts';
import { ServingWorld } from '#testing/serving-world.ts';

const NAMESPACE = 'o1234abcd';

/** Details of the API server's own answers to a deletion, which are its tests' business. */
const OF_THE_API_SERVER = ['/body/code', '/body/message'];

const cases = loadOracleCases('serving', /^(life|fail|zero|conflict|delete|gc|local|domain)-/) as unknown as TreeCase[];

for (const tree of cases) {
  test(`${tree.name}: ${tree.why}`, async () => {
    await using world = await ServingWorld.start({ namespace: NAMESPACE, config: tree.config ?? {} });
    const differences = await replayTree(world, tree, OF_THE_API_SERVER);
    assert.equal(differences.join('\n'), '');
  });
}
