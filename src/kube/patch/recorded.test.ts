/** What a real API server answered to patches, against our patches: every recorded step is one row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { deploymentDefaults } from '#testing/deployment-defaults.ts';
import { comparable, PureReplay } from '#testing/pure-replay.ts';
import { pickParts, type RecordedStep, recordedCases } from '#testing/recorded-http.ts';

/** Answers that take a store, validation or the decoding of bodies: the API server's tests have them. */
const BEYOND_REACH = [
  / not found$/,
  /does not match the (name|namespace)/,
  /the object has been modified/,
  /field is immutable/,
  /patch: Invalid value/,
  / is invalid: /,
  /unexpected end of JSON input/,
  /in numeric literal/,
];

function messageOf({ expect }: RecordedStep): string {
  const body = expect.body as Record<string, string | undefined> | undefined;
  return body?.['message'] ?? body?.['/message'] ?? '';
}

let rows = 0;

for (const recorded of recordedCases(/^(jsonpatch|mergepatch|strategic)-/)) {
  const replay = new PureReplay({ kinds: [ConfigMap, Deployment], setDefaults: deploymentDefaults });
  for (const [index, step] of recorded.steps.entries()) {
    if (BEYOND_REACH.some((pattern) => pattern.test(messageOf(step)))) continue;
    rows += 1;
    test(`${recorded.name} ${index}: ${step.method} ${JSON.stringify(step.body ?? step.bodyText)}`, () => {
      const answer = comparable(replay.answer(step), { managedFields: false });
      if (step.noBody) return;
      const ours = step.pick ? pickParts(answer, step.pick) : answer;
      assert.deepEqual(ours, comparable(step.expect.body, { managedFields: false }));
    });
  }
}

test('there were rows', () => assert.ok(rows >= 75, `only ${rows}`));
