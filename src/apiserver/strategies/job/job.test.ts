/** What a Job may be and become, one row per rule, through the API. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Job } from '#kube/kinds/batch/job.ts';
import { typed } from '#kube/kind.ts';
import type { Stored } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

type Loose = Record<string, unknown>;

const container = { name: 'app', image: 'dev.local/app:1' };

/** Merges `spec` into a Job that is fine; its `template` is merged into the pod's spec. */
function jobOf(name: string, { template, labels, ...spec }: Loose = {}): Job {
  const podSpec = { restartPolicy: 'Never', containers: [container], ...(template as Loose | undefined) };
  const metadata = labels === undefined ? {} : { labels };
  return typed(Job, {
    metadata: { namespace: 'default', name },
    spec: { ...spec, template: { metadata, spec: podSpec } },
  } as never);
}

function problemsOf(error: unknown): string[] {
  assert.ok(error instanceof StatusError, String(error));
  return (error.status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
}

describe('Jobs', () => {
  let api: TestApi | undefined;
  let made = 0;

  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.[Symbol.asyncDispose]());

  const client = () => {
    assert(api);
    return api.client;
  };
  const newName = () => `job-${(made += 1)}`;
  const create = (spec: Loose = {}) => client().create(Job, jobOf(newName(), spec));
  const refOf = ({ metadata: { namespace, name } }: Stored<Job>) => ({ namespace, name });
  const change = (job: Stored<Job>, body: Loose, subresource?: 'status') =>
    client().patch(Job, refOf(job), { type: 'merge', body, subresource });

  const INDEXED = { completionMode: 'Indexed', completions: 4 };
  const PER_INDEX = { ...INDEXED, backoffLimitPerIndex: 1 };
  const rule = (more: Loose) => ({ podFailurePolicy: { rules: [{ action: 'Ignore', ...more }] } });
  const exit = (more: Loose) => rule({ onExitCodes: { operator: 'In', values: [1], ...more } });
  const success = (more: Loose) => ({ ...INDEXED, successPolicy: { rules: [more] } });
  const at = 'spec.podFailurePolicy.rules[0]';
  const tree = 'spec.successPolicy.rules[0]';

  const refusals: [name: string, spec: Loose, problems: string[]][] = [
    [
      'less than nothing',
      { parallelism: -1 },
      ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'no restart policy',
      { template: { restartPolicy: undefined } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'an unknown mode',
      { completionMode: 'Other' },
      ['spec.completionMode: Unsupported value: "Other": supported values: "NonIndexed", "Indexed"'],
    ],
    [
      'an indexed Job without completions',
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'limits per index without indexes',
      { backoffLimitPerIndex: 1 },
      ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    ],
    [
      'failed indexes without a limit',
      { ...INDEXED, maxFailedIndexes: 1 },
      ['spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified'],
    ],
    [
      'more failed indexes than there are',
      { ...PER_INDEX, maxFailedIndexes: 5 },
      ['spec.maxFailedIndexes: Invalid value: 5: must be less than or equal to completions'],
    ],
    [
      'too much at once',
      { ...INDEXED, parallelism: 100_001 },
      ['spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed'],
    ],
    [
      'very many indexes',
      { ...PER_INDEX, completions: 100_001, parallelism: 10_001 },
      [
        'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
        'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
      ],
    ],
    [
      'a manager without a domain',
      { managedBy: 'me' },
      ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      'a selector that was not made here',
      { selector: { matchLabels: { a: 'b' } } },
      [
        'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a":"b", "batch.kubernetes.io/controller-uid":"<uid>"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: `selector` not auto-generated',
        'spec.template.metadata.labels: Invalid value: map[string]string{"batch.kubernetes.io/controller-uid":"<uid>", "batch.kubernetes.io/job-name":"<name>", "controller-uid":"<uid>", "job-name":"<name>"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'labels of another Job',
      { labels: { 'job-name': 'other' } },
      [
        'spec.template.metadata.labels[job-name]: Invalid value: map[string]string{"batch.kubernetes.io/controller-uid":"<uid>", "batch.kubernetes.io/job-name":"<name>", "controller-uid":"<uid>", "job-name":"other"}: must be \'<name>\'',
      ],
    ],
    [
      'a manual selector that is not there',
      { manualSelector: true },
      [
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: map[string]string(nil): `selector` does not match template `labels`',
      ],
    ],
    [
      'a replacement policy that is unknown',
      { podReplacementPolicy: 'X' },
      ['spec.podReplacementPolicy: Unsupported value: "X": supported values: "Failed", "TerminatingOrFailed"'],
    ],
    [
      'a rule without an action',
      rule({ action: '', onExitCodes: { operator: 'In', values: [1] } }),
      [`${at}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`],
    ],
    [
      'FailIndex without a limit',
      rule({ action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } }),
      [`${at}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`],
    ],
    [
      'a rule about nothing',
      rule({}),
      [`${at}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`],
    ],
    [
      'a rule about both',
      exit({}) && rule({ onExitCodes: { operator: 'In', values: [1] }, onPodConditions: [{ type: 'A' }] }),
      [`${at}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`],
    ],
    [
      'an exit code of success',
      exit({ values: [0] }),
      [`${at}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`],
    ],
    [
      'exit codes out of order',
      exit({ values: [3, 1, 3] }),
      [
        `${at}.onExitCodes.values[2]: Duplicate value: 3`,
        `${at}.onExitCodes.values: Invalid value: []int32{3, 1, 3}: must be ordered`,
      ],
    ],
    [
      'a container that is not there',
      exit({ containerName: 'x' }),
      [
        `${at}.onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template`,
      ],
    ],
    [
      'restarts beside a failure policy',
      { ...exit({}), template: { restartPolicy: 'OnFailure' } },
      [
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      ],
    ],
    [
      'a success policy without indexes',
      { successPolicy: { rules: [{ succeededCount: 1 }] } },
      ['spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode'],
    ],
    [
      'a success rule about nothing',
      success({}),
      [`${tree}: Required value: at least one of succeededCount or succeededIndexes must be specified`],
    ],
    [
      'indexes that are none',
      success({ succeededIndexes: '0-x' }),
      [
        `${tree}.succeededIndexes: Invalid value: "0-x": error parsing succeededIndexes: cannot convert string to integer for index: "x"`,
      ],
    ],
    [
      'indexes that go back',
      success({ succeededIndexes: '2,1' }),
      [
        `${tree}.succeededIndexes: Invalid value: "2,1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1`,
      ],
    ],
    [
      'indexes beyond the last',
      success({ succeededIndexes: '0-4' }),
      [`${tree}.succeededIndexes: Invalid value: "0-4": error parsing succeededIndexes: too large index: "4"`],
    ],
    [
      'more successes than indexes',
      success({ succeededIndexes: '0,1', succeededCount: 3 }),
      [
        `${tree}.succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)`,
      ],
    ],
  ];
  for (const [name, spec, problems] of refusals) {
    test(`refused: ${name}`, async () => {
      const error: unknown = await create(spec).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const found = problemsOf(error).map((text) => plain(text, `job-${made}`));
      assert.deepEqual(found, problems);
    });
  }

  test('defaults', async () => {
    const { spec, metadata } = await create(rule({ onPodConditions: [{ type: 'DisruptionTarget' }] }));
    const { template: _, selector: __, podFailurePolicy, ...rest } = spec;
    assert.deepEqual(rest, {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'Failed',
    });
    assert.deepEqual(podFailurePolicy?.rules[0]?.onPodConditions, [{ type: 'DisruptionTarget', status: 'True' }]);
    assert.deepEqual(metadata.labels, spec.template.metadata?.labels);
    assert.equal((await create(PER_INDEX)).spec.backoffLimit, 2 ** 31 - 1);
  });

  const FIXED = 'field is immutable';
  const updates: [name: string, spec: Loose, body: Loose, problem: RegExp | undefined][] = [
    ['parallelism', {}, { parallelism: 3 }, undefined],
    ['completions', {}, { completions: 3 }, new RegExp(`^spec.completions: Invalid value: 3: ${FIXED}$`)],
    [
      'completions of an indexed Job alone',
      INDEXED,
      { completions: 3 },
      /^spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism$/,
    ],
    ['completions of an indexed Job with parallelism', INDEXED, { completions: 3, parallelism: 3 }, undefined],
    ['backoffLimit', {}, { backoffLimit: 1 }, undefined],
    [
      'backoffLimitPerIndex',
      PER_INDEX,
      { backoffLimitPerIndex: 2 },
      new RegExp(`^spec.backoffLimitPerIndex: Invalid value: 2: ${FIXED}$`),
    ],
    ['managedBy', {}, { managedBy: 'a.b/c' }, new RegExp(`^spec.managedBy: Invalid value: "a.b/c": ${FIXED}$`)],
    [
      'the template',
      {},
      { template: { spec: { nodeSelector: { a: 'b' } } } },
      new RegExp(`^spec.template: .*${FIXED}$`),
    ],
    [
      'the place of a suspended Job',
      { suspend: true },
      { template: { spec: { nodeSelector: { a: 'b' } } } },
      undefined,
    ],
    [
      'the image of a suspended Job',
      { suspend: true },
      { template: { spec: { containers: [{ ...container, image: 'x' }] } } },
      new RegExp(`^spec.template: .*${FIXED}$`),
    ],
  ];
  for (const [name, spec, body, problem] of updates) {
    test(`${problem ? 'fixed' : 'may change'}: ${name}`, async () => {
      const changed = change(await create(spec), { spec: body });
      if (!problem) await changed;
      else await assert.rejects(changed, (error) => problemsOf(error).some((text) => problem.test(text)));
    });
  }

  const NOW = '2026-01-01T00:00:00Z';
  const is = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
  const DONE = { startTime: NOW, completionTime: NOW, conditions: is('SuccessCriteriaMet', 'Complete') };
  const statuses: [name: string, before: Loose, body: Loose, problem: string | undefined][] = [
    ['complete', {}, DONE, undefined],
    [
      'complete without preparation',
      {},
      { ...DONE, conditions: is('Complete') },
      'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    ],
    [
      'complete without a time',
      { startTime: NOW },
      { conditions: DONE.conditions },
      'status.completionTime: Required value: completionTime is required for Complete jobs',
    ],
    [
      'failed without preparation',
      { startTime: NOW },
      { conditions: is('Failed') },
      'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
    ],
    [
      'both',
      {},
      { ...DONE, conditions: is('SuccessCriteriaMet', 'Complete', 'FailureTarget', 'Failed') },
      'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
    ],
    [
      'no more complete',
      DONE,
      { conditions: is('SuccessCriteriaMet') },
      'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
    ],
    [
      'active after the end',
      {},
      { ...DONE, active: 1 },
      'status.active: Invalid value: 1: active>0 is invalid for finished job',
    ],
    [
      'fewer failures',
      { failed: 2 },
      { failed: 1 },
      'status.failed: Invalid value: 1: cannot decrease the failed counter',
    ],
    [
      'another start',
      { startTime: NOW },
      { startTime: '2026-01-02T00:00:00Z' },
      'status.startTime: Required value: startTime cannot be removed for unsuspended job',
    ],
    [
      'more ready than active',
      {},
      { active: 1, ready: 2 },
      'status.ready: Invalid value: 2: cannot set more ready pods than active',
    ],
    [
      'indexes of a Job without any',
      {},
      { completedIndexes: '0' },
      'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
    ],
    [
      'one UID in both lists',
      {},
      { uncountedTerminatedPods: { succeeded: ['a'], failed: ['a'] } },
      'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
    ],
  ];
  for (const [name, first, body, problem] of statuses) {
    test(`status ${problem ? 'refused' : 'accepted'}: ${name}`, async () => {
      const job = await create();
      await change(job, { status: first }, 'status');
      const changed = change(job, { status: body }, 'status');
      if (problem === undefined) await changed;
      else await assert.rejects(changed, (error) => problemsOf(error).includes(problem));
    });
  }
});

function plain(text: string, name: string): string {
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uid>').replaceAll(name, '<name>');
}
