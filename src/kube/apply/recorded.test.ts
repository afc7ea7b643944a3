/** What a real API server answered to applies and made of managedFields, against ours: every recorded step is a row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '#base/json.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { deploymentDefaults } from '#testing/deployment-defaults.ts';
import { Launch } from '#testing/launch.ts';
import { comparable, PureReplay } from '#testing/pure-replay.ts';
import { pickParts, type RecordedStep, recordedCases } from '#testing/recorded-http.ts';

/** Answers that take a store, validation of options or the decoding of bodies: the API server's tests have them. */
const BEYOND_REACH = [
  / not found$/,
  /^the name of the object/,
  /^(Patch|Update|Create)Options\.meta/,
  /the object provided is unrecognized|error decoding YAML|yaml:/,
  /the API version in the data/,
  /has been modified/,
  / is invalid: /,
  /convert CR to an invalid group/,
  /does not allow this method/,
];

function messageOf({ expect }: RecordedStep): string {
  const body = expect.body as Record<string, string | undefined> | undefined;
  return body?.['message'] ?? body?.['/message'] ?? '';
}

/** As the recordings have it: causes in order, and their list cut out of the message. */
function withSortedCauses(status: unknown): unknown {
  if (!isObject(status) || !isObject(status['details'])) return status;
  const { details, message } = status as { details: { causes?: unknown[] }; message: string };
  const causes = details.causes?.map((cause) => JSON.stringify(cause)).sort();
  const cut = message.replace(/(conflicts: )[^]*$/, '$1[…]');
  return {
    ...status,
    message: cut,
    details: { ...details, causes: causes?.map((cause) => JSON.parse(cause) as unknown) },
  };
}

let rows = 0;

for (const recorded of recordedCases(/^apply-/)) {
  const replay = new PureReplay({ kinds: [ConfigMap, Deployment, Launch], setDefaults: deploymentDefaults });
  for (const [index, step] of recorded.steps.entries()) {
    if (BEYOND_REACH.some((pattern) => pattern.test(messageOf(step)))) continue;
    rows += 1;
    test(`${recorded.name} ${index}: ${step.method} ${step.path} ${JSON.stringify(step.body ?? step.bodyText)}`, () => {
      const answer = comparable(replay.answer(step), { managedFields: true });
      if (step.noBody) return;
      const picked = step.pick ? pickParts(answer, step.pick) : answer;
      const ours = step.sortCauses ? withSortedCauses(picked) : picked;
      const theirs = comparable(step.expect.body, { managedFields: true });
      assert.deepEqual(ours, step.sortCauses ? withSortedCauses(theirs) : theirs);
    });
  }
}

test('there were rows', () => assert.ok(rows >= 50, `only ${rows}`));
