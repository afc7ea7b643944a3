import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOutcome, type Outcome, type StatusForm } from '#runtime/kubelet/remote/outcome.ts';

const failed: Outcome = { type: 'failed', message: 'error executing command in container: why' };
const exited: Outcome = { type: 'exit', code: 7, command: ['/app', 'fail', '7'] };
const refused: Outcome = { type: 'refused', message: 'container not found ("app")' };

const exitStatus = (shown: string) => ({
  metadata: {},
  status: 'Failure',
  message: `command terminated with non-zero exit code: ${shown}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: '7' }] },
});

const internal = (message: string) => ({
  metadata: {},
  status: 'Failure',
  message: `Internal error occurred: ${message}`,
  reason: 'InternalError',
  details: { causes: [{ message }] },
  code: 500,
});

const rows: [outcome: Outcome, form: StatusForm, told: unknown][] = [
  [{ type: 'success' }, 'v5', { metadata: {}, status: 'Success' }],
  [{ type: 'success' }, 'v4', { metadata: {}, status: 'Success' }],
  [{ type: 'success' }, 'text', ''],
  [exited, 'v5', exitStatus('command terminated with exit code 7')],
  [exited, 'v4', exitStatus('error executing command [/app fail 7], exit code 7')],
  [exited, 'text', 'command terminated with non-zero exit code: error executing command [/app fail 7], exit code 7'],
  [failed, 'v5', internal('Internal error occurred: error executing command in container: why')],
  [failed, 'v4', internal('error executing command in container: why')],
  [failed, 'text', 'Internal error occurred: error executing command in container: why'],
  [refused, 'v5', internal('unable to upgrade connection: container not found ("app")')],
];

for (const [outcome, form, told] of rows) {
  test(`${outcome.type} in the form ${form}`, () => {
    const text = encodeOutcome(outcome, form).toString();
    assert.deepEqual(form === 'text' ? text : JSON.parse(text), told);
  });
}
