import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childName, deploymentName, imageCacheName, privateServiceName, revisionName } from '#knative/names.ts';

const long = 'a'.repeat(63);

const rows: [string, string, string, string][] = [
  ['short names are joined', 'hello', '-deployment', 'hello-deployment'],
  ['63 characters still fit', 'a'.repeat(52), '-deployment', `${'a'.repeat(52)}-deployment`],
  [
    'a long parent is cut to make room for its md5',
    long,
    '-00001',
    `${'a'.repeat(25)}b06521f39153d618550606be297466d5-00001`,
  ],
  [
    'a long suffix is cut too, and the md5 is of both',
    'p'.repeat(40),
    `-${'s'.repeat(31)}`,
    `${'p'.repeat(31)}3bd5dcd3262c4955685a2f8050f5362e`,
  ],
];

for (const [name, parent, suffix, expected] of rows) {
  test(`childName: ${name}`, () => {
    const actual = childName(parent, suffix);
    assert.ok(actual.length <= 63);
    assert.equal(actual, expected);
  });
}

test('the names recorded for a Service of 63 characters', () => {
  const revision = revisionName('n'.repeat(63), 1);
  assert.equal(revision, 'nnnnnnnnnnnnnnnnnnnnnnnnnfaae1dabe1c66732dffc3c857df5767e-00001');
  assert.equal(deploymentName(revision), 'nnnnnnnnnnnnnnnnnnnn8afc14905ee2d40058a1a690e53b3340-deployment');
  assert.equal(privateServiceName(revision), 'nnnnnnnnnnnnnnnnnnnnnnn8afc14905ee2d40058a1a690e53b3340-private');
  assert.equal(
    imageCacheName(revision, 'user-container'),
    'nnnnnnnnnnnnnnnn2c6e821920e05e79678c1e66872362cb-user-container',
  );
});

test('names of children', () => {
  assert.equal(revisionName('hello', 1), 'hello-00001');
  assert.equal(revisionName('hello', 123456), 'hello-123456');
  assert.equal(deploymentName('hello-00001'), 'hello-00001-deployment');
  assert.equal(imageCacheName('hello-00001', 'user-container'), 'hello-00001-cache-user-container');
});
