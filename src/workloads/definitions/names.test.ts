import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { definition } from '#testing/definitions.ts';
import { acceptNames, type Names } from '#workloads/definitions/names.ts';

function accepting(names: Partial<Names>, accepted: Names = { plural: '', kind: '' }): CustomResourceDefinition {
  return { ...definition({ names }), status: { conditions: [], acceptedNames: accepted, storedVersions: [] } };
}
const other = accepting(
  {},
  { plural: 'others', singular: 'other', shortNames: ['ot'], kind: 'Other', listKind: 'OtherList' },
);

const rows: readonly (readonly [what: string, asked: Partial<Names>, reason: string | undefined, message?: string])[] =
  [
    ['free names', { plural: 'mine', kind: 'Mine' }, undefined],
    ['a plural that is taken', { plural: 'others', kind: 'Mine' }, 'PluralConflict', '"others" is already in use'],
    ['a plural that is a short name', { plural: 'ot', kind: 'Mine' }, 'PluralConflict'],
    ['a singular', { plural: 'mine', singular: 'other', kind: 'Mine' }, 'SingularConflict'],
    ['a short name', { plural: 'mine', kind: 'Mine', shortNames: ['a', 'ot'] }, 'ShortNamesConflict'],
    [
      'two short names',
      { plural: 'mine', kind: 'Mine', shortNames: ['other', 'ot'] },
      'ShortNamesConflict',
      '["other" is already in use, "ot" is already in use]',
    ],
    ['a kind', { plural: 'mine', kind: 'Other' }, 'KindConflict'],
    ['a kind that is a list', { plural: 'mine', kind: 'OtherList' }, 'KindConflict'],
    ['a list kind', { plural: 'mine', kind: 'Mine', listKind: 'OtherList' }, 'ListKindConflict'],
    ['several: the last is told', { plural: 'others', kind: 'Other' }, 'KindConflict'],
  ];

for (const [what, asked, reason, message] of rows) {
  test(`${what}: ${reason ?? 'accepted'}`, () => {
    const { conflict } = acceptNames(accepting(asked), [other]);
    assert.equal(conflict?.reason, reason);
    if (message !== undefined) assert.equal(conflict?.message, message);
  });
}

test('what is refused stays as it was, and the rest is accepted', () => {
  const had: Names = { plural: 'mine', kind: 'Mine', shortNames: ['m'] };
  const { accepted } = acceptNames(
    accepting({ plural: 'mine', kind: 'Other', shortNames: ['n'], categories: ['all'] }, had),
    [other],
  );
  assert.deepEqual(accepted, { plural: 'mine', kind: 'Mine', shortNames: ['n'], categories: ['all'] });
});

test('whoever has a name keeps it', () => {
  const had: Names = { plural: 'others', kind: 'Other' };
  assert.equal(acceptNames(accepting(had, had), [other]).conflict, undefined);
});
