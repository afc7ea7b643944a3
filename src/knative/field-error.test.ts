import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asWarnings,
  disallowedField,
  exactlyOne,
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  outOfBounds,
  renderErrors,
  renderWarnings,
  via,
  viaIndex,
} from '#knative/field-error.ts';

const rows: [string, FieldErrors, string | undefined][] = [
  ['nothing', noErrors, undefined],
  ['several paths are sorted', missingField('name', 'kind'), 'missing field(s): kind, name'],
  [
    'members join with dots',
    via('spec', via('template', missingField('name'))),
    'missing field(s): spec.template.name',
  ],
  [
    'an index is glued on',
    via('spec', viaIndex('traffic', 1, disallowedField('url'))),
    'must not set the field(s): spec.traffic[1].url',
  ],
  [
    'an index comes before the member it is given for',
    via('spec', via('tag', missingField('[0]'))),
    'missing field(s): spec.tag[0]',
  ],
  ['the empty path is the parent', via('spec', missingField('')), 'missing field(s): spec'],
  ['an empty path alone leaves its colon', fieldError('is off', ''), 'is off: '],
  [
    'a key in brackets stays apart when it has dots in it',
    via('annotations', invalidValue('x', '[a.b/c]')),
    'invalid value: x: annotations.[a.b/c]',
  ],
  [
    'same message and details: one line, each path once',
    [...missingField('b'), ...missingField('a'), ...missingField('b')],
    'missing field(s): a, b',
  ],
  [
    'lines are sorted by message, then details',
    [...fieldError('m', 'x', '2'), ...fieldError('m', 'y', '1'), ...outOfBounds(5, [0, 1], 'z')],
    'expected 0 <= 5 <= 1: z\nm: y\n1\nm: x\n2',
  ],
  ['none of', exactlyOne([], ['a', 'b']), 'expected exactly one, got neither: a, b'],
  ['two of', exactlyOne(['c', 'a'], ['a', 'b', 'c']), 'expected exactly one, got both: a, c'],
  ['warnings are no errors', asWarnings(missingField('a')), undefined],
];

for (const [name, errors, expected] of rows) test(name, () => assert.equal(renderErrors(errors), expected));

test('warnings come one by one', () => {
  const errors = [
    ...asWarnings(fieldError('b', 'x', 'why')),
    ...asWarnings(fieldError('a', 'y')),
    ...missingField('z'),
  ];
  assert.deepEqual(renderWarnings(errors), ['a: y', 'b: x\nwhy']);
});
