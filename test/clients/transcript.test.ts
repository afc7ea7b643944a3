/** A transcript is read as a person reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTranscript, written } from './transcript.ts';

const TEXT = `# What it is about.
$ kn service list
No services found.
# in between
$~ kn service describe nobody
! Error: services.serving.knative.dev "nobody" not found
[1]

$ true
`;

test('a transcript is steps, each with what it prints', () => {
  const steps = parseTranscript(TEXT).map(({ line, isRepeated, expected }) => ({ line, isRepeated, expected }));
  assert.deepEqual(steps, [
    { line: 2, isRepeated: false, expected: 'No services found.' },
    { line: 5, isRepeated: true, expected: '! Error: services.serving.knative.dev "nobody" not found\n[1]' },
    { line: 9, isRepeated: false, expected: '' },
  ]);
});

const PRINTED: readonly (readonly [string, Partial<Parameters<typeof written>[0]>, string])[] = [
  ['nothing', {}, ''],
  ['columns', { stdout: 'NAME    READY\na       True   \n' }, 'NAME  READY\na  True'],
  ['indentation stays', { stdout: 'Name:\n    a:   b\n' }, 'Name:\n    a:  b'],
  ['errors and an exit code', { stdout: 'x\n', stderr: 'bad\nworse\n', code: 2 }, 'x\n! bad\n! worse\n[2]'],
  [
    'known progress goes, the rest stays',
    {
      stdout:
        '\n  0.027s Ingress has not yet been reconciled.\n  0.040s ...\n  1.027s Surprise.\n 12.446s Ready to serve.\n',
    },
    '\n<time> Surprise.\n<time> Ready to serve.',
  ],
  ['progress of an object', { stdout: '  0.1s x\n  0.127s Revision "a-1" is not yet ready.\nend' }, '  0.1s x\nend'],
  [
    'ages of conditions',
    { stdout: '  OK TYPE   AGE REASON\n  !! Ready   3m2s Bad\n' },
    '  OK TYPE  AGE REASON\n  !! Ready  <age> Bad',
  ],
  ['short digests', { stdout: 'Image:  app:1 (pinned to 0af13e)' }, 'Image:  app:1 (pinned to <hash>)'],
];

for (const [name, output, expected] of PRINTED) {
  test(`as written: ${name}`, () => {
    assert.equal(written({ code: 0, stdout: '', stderr: '', ...output }, '/folder'), expected);
  });
}
