/** What Knative 1.17 was seen to make of manifests, replayed: whole object trees, conditions, Events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOracleCases } from '#testing/oracle.ts';
import { replayCase } from '#testing/oracle-replay.ts';
import { worldTarget } from '#testing/oracle-world.ts';
import { ServingWorld } from '#testing/serving-world.ts';

const NAMESPACE = 'o1234abcd';

/** HTTP is not spoken here, and details of the API server's own answers to a deletion are its tests' business. */
const OF_THE_API_SERVER = ['/headers', '/body/code', '/body/message'];

for (const oracleCase of loadOracleCases('serving', /^(life|fail|zero|conflict|delete|gc|local|domain)-/)) {
  test(`${oracleCase.name}: ${oracleCase.why}`, async () => {
    await using world = await ServingWorld.start({ namespace: NAMESPACE, config: oracleCase.config ?? {} });
    const differences = await replayCase(worldTarget(world), oracleCase, OF_THE_API_SERVER);
    assert.equal(differences.join('\n'), '');
  });
}
