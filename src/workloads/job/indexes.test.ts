import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatIndexes,
  freeIndexes,
  hasIndex,
  indexesOf,
  overlapOf,
  parseIndexes,
  totalOf,
  union,
} from '#workloads/job/indexes.ts';

const texts: [name: string, text: string, completions: number, read: string][] = [
  ['nothing', '', 10, ''],
  ['single indexes', '0,2,5', 10, '0,2,5'],
  ['two neighbours have a comma', '3-4', 10, '3,4'],
  ['three have a dash', '3,4,5', 10, '3-5'],
  ['intervals that touch are joined', '0-2,3-5', 10, '0-5'],
  ['beyond the completions is cut off', '1-20,30', 10, '1-9'],
  ['what is no index is passed over', 'x,1-y,2', 10, '2'],
];
for (const [name, text, completions, read] of texts) {
  test(`reading and writing: ${name}`, () => assert.equal(formatIndexes(parseIndexes(text, completions)), read));
}

test('sets are united, counted and looked into', () => {
  const all = union(parseIndexes('0-2,8', 10), indexesOf([4, 3, 9]));
  assert.equal(formatIndexes(all), '0-4,8,9');
  assert.equal(totalOf(all), 7);
  assert.deepEqual(
    [0, 4, 5, 7, 8, 10].map((index) => hasIndex(all, index)),
    [true, true, false, false, true, false],
  );
});

const overlaps: [have: string, wanted: string, count: number][] = [
  ['0-4', '2-6', 3],
  ['0-1,5-9', '1-6', 3],
  ['0-9', '', 0],
  ['3', '0-9', 1],
];
for (const [have, wanted, count] of overlaps) {
  test(`${have} has ${count} of ${wanted}`, () =>
    assert.equal(overlapOf(parseIndexes(have, 10), parseIndexes(wanted, 10)), count));
}

const free: [taken: string, count: number, found: number[]][] = [
  ['', 3, [0, 1, 2]],
  ['0-1,3', 3, [2, 4, 5]],
  ['0-9', 3, []],
  ['0-7', 5, [8, 9]],
  ['1', 0, []],
];
for (const [taken, count, found] of free) {
  test(`${count} free beside ${taken || 'nothing'}`, () =>
    assert.deepEqual(freeIndexes(parseIndexes(taken, 10), { count, completions: 10 }), found));
}
