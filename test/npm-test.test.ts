/** `npm test` reports what Node's test runner saw: nothing that failed, was left out or never ran looks like a pass. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAtLeast } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { runGroup } from '../scripts/tests/runner.ts';
import type { GroupResult } from '../scripts/tests/results.ts';
import { isPassed, summarise } from '../scripts/tests/summary.ts';

const PASSING = "import { test } from 'node:test';\ntest('fine', () => {});\n";
const MIXED = `import { describe, test } from 'node:test';
test('fine', () => {});
test('without its program', { skip: 'tool is not installed' }, () => {});
describe('suite', () => test('found out late', (context) => context.skip('no tool here')));
test('not yet', { expectFailure: 'why' }, () => { throw new Error('as expected'); });
test('parent', (context) => context.test('child', () => {}));
`;
const FAILING = "import { test } from 'node:test';\ntest('wrong', () => { throw new Error('no'); });\n";
const HANGING = "import { test } from 'node:test';\ntest('never', { timeout: 200 }, () => new Promise(() => {}));\n";
const CRASHING = 'process.exit(3);\n';

async function run(files: Readonly<Record<string, string>>, isOneProcess = false): Promise<GroupResult> {
  using folder = new TemporaryFolder('npm-test-');
  const paths = Object.entries(files).map(([name, text]) => {
    writeFileSync(folder.at(`${name}.mjs`), text);
    return folder.at(`${name}.mjs`);
  });
  return await runGroup({ name: 'unit', isOneProcess, testTimeoutMs: 10_000 }, paths, { output: 'ignore' });
}

for (const isOneProcess of [true, false]) {
  test(`tests are counted as the runner counts them, in one process: ${isOneProcess}`, async () => {
    const { counts, leftOut, failures, knownDifferences, exitCode } = await run({ PASSING, MIXED }, isOneProcess);
    assert.deepEqual(
      { leftOut, failures, knownDifferences, exitCode },
      {
        leftOut: ['tool is not installed', 'no tool here'],
        failures: [],
        knownDifferences: 1,
        exitCode: 0,
      },
    );
    const { tests, passed, skipped } = counts!;
    assert.deepEqual({ tests, passed, skipped }, { tests: 7, passed: 5, skipped: 2 });
  });
}

for (const [name, files] of Object.entries({
  'a test that fails': { PASSING, FAILING },
  'a test that never ends': { PASSING, HANGING },
  'a file that ends the process': { PASSING, CRASHING },
})) {
  test(`${name} fails the run, and is named`, async () => {
    const result = await run(files);
    const all = { results: [result], omissions: [], notes: [] };
    assert.equal(isPassed(all), false);
    assert.equal(result.failures.length, 1);
    assert.equal(summarise(all).at(-2), 'FAIL');
  });
}

test('a process that ends before it reports fails the run', async () => {
  const result = await run({ CRASHING }, true);
  assert.equal(result.counts, undefined);
  assert.equal(isPassed({ results: [result], omissions: [], notes: [] }), false);
});

const unit: GroupResult = {
  group: 'unit',
  files: 3,
  counts: { tests: 1_200, passed: 1_195, skipped: 4, todo: 0 },
  failures: [{ file: 'src/a.test.ts', name: 'adds' }],
  leftOut: ['b is missing', 'a is missing', 'b is missing', 'b is missing'],
  knownDifferences: 2,
  exitCode: 1,
  durationMs: 61_400,
};
const oci: GroupResult = {
  ...unit,
  group: 'oci',
  counts: undefined,
  failures: [],
  leftOut: [],
  exitCode: 137,
  durationMs: 900,
};

test('the summary', () => {
  const omissions = [{ group: 'e2e', files: 10, reason: 'it needs root' }];
  assert.deepEqual(summarise({ results: [unit, oci], omissions, notes: ['kubectl: none'] }), [
    'Summary',
    '  group  files  tests  passed  failed  left out  time',
    '  unit       3   1200    1195       1         4  1:01',
    '  oci        3  ended  before      it  reported  0:01',
    '  total      6   1200    1195       1         4  1:02',
    'Of those that passed, 4 tests of known differences failed as expected.',
    'Left out: 4 tests',
    '     3 × b is missing',
    '     1 × a is missing',
    'Left out: the whole group e2e, 10 files: it needs root',
    'Note: kubectl: none',
    'Failed:',
    '  src/a.test.ts: adds',
    '  oci: the test runner ended with exit code 137',
    'FAIL',
    '1195 passed, 2 failed, 4 skipped',
  ]);
});

const verdicts: readonly { name: string; results: readonly GroupResult[]; passed: boolean }[] = [
  { name: 'nothing ran', results: [], passed: false },
  {
    name: 'the runner is content',
    results: [{ ...unit, counts: { ...unit.counts!, passed: 1_196 }, exitCode: 0 }],
    passed: true,
  },
  { name: 'the runner is not', results: [{ ...unit, counts: { ...unit.counts!, passed: 1_196 } }], passed: false },
  { name: 'a test is neither passed nor left out', results: [{ ...unit, exitCode: 0 }], passed: false },
  {
    name: 'no test was found',
    results: [{ ...unit, counts: { tests: 0, passed: 0, skipped: 0, todo: 0 }, exitCode: 0 }],
    passed: false,
  },
];
for (const { name, results, passed } of verdicts) {
  test(`${name}: ${passed ? 'PASS' : 'FAIL'}`, () => {
    assert.equal(summarise({ results, omissions: [], notes: [] }).at(-2), passed ? 'PASS' : 'FAIL');
  });
}

const versions: readonly [version: string, wanted: string, isEnough: boolean][] = [
  ['1.27.0', '1.27', true],
  ['1.32.4', '1.27', true],
  ['2.0.1', '1.27', true],
  ['1.20.5+really1.20.2-1.1+deb12u1', '1.27', false],
  ['1:528.0.0-0', '1.27', true],
  ['1:1.9.1', '1.27', false],
  ['unknown', '1.27', false],
];
for (const [version, wanted, isEnough] of versions) {
  test(`${version} is ${isEnough ? '' : 'not '}at least ${wanted}`, () => {
    assert.equal(isAtLeast(version, wanted), isEnough);
  });
}
