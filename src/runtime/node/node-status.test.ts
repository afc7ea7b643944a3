import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyName } from '#runtime/node/node-status.ts';

for (const [release, name] of [
  ['ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', 'Debian GNU/Linux 12 (bookworm)'],
  ["PRETTY_NAME='Alpine Linux v3.20'", 'Alpine Linux v3.20'],
  ['PRETTY_NAME=Plain', 'Plain'],
  ['', 'Linux'],
] as const) {
  test(`the operating system is called ${name}`, () => assert.equal(prettyName(release), name));
}
