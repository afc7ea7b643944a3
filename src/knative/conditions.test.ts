import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginReconcile,
  type Condition,
  conditionSet,
  endReconcile,
  isFailed,
  isReady,
  manageConditions,
  type StatusWithConditions,
} from '#knative/conditions.ts';

const set = conditionSet(['A', 'B'], ['Extra']);
const T0 = Date.parse('2026-01-01T00:00:00Z');
const why = (reason: string, message = '') => ({ reason, message });

/** `Type=Status(reason)` of every condition. */
function show(status: StatusWithConditions): string {
  const one = ({ type, status: value, reason }: Condition) => `${type}=${value}${reason ? `(${reason})` : ''}`;
  return (status.conditions ?? []).map(one).join(' ');
}

type Marks = (conditions: ReturnType<typeof fresh>['conditions']) => void;

function fresh() {
  const status: StatusWithConditions = {};
  return { status, conditions: manageConditions(set, status, T0) };
}

const rows: [string, Marks, string][] = [
  ['initialize: all Unknown, sorted by type', (c) => c.initialize(), 'A=Unknown B=Unknown Ready=Unknown'],
  [
    'initialize: dependents are True where Ready is',
    (c) => (c.markTrue('A'), c.markTrue('B'), c.initialize()),
    'A=True B=True Ready=True',
  ],
  ['markTrue: a missing dependent keeps Ready Unknown', (c) => c.markTrue('A'), 'A=True Ready=Unknown'],
  [
    'markTrue: Ready copies the dependent that is Unknown',
    (c) => (c.markUnknown('B', why('Waiting')), c.markTrue('A')),
    'A=True B=Unknown(Waiting) Ready=Unknown(Waiting)',
  ],
  [
    'markTrue: False comes before Unknown',
    (c) => (c.markFalse('A', why('Broken')), c.markUnknown('B', why('Waiting')), c.markTrue('Extra')),
    'A=False(Broken) B=Unknown(Waiting) Extra=True Ready=False(Broken)',
  ],
  [
    'markTrue: of two False the one that changed last, also within a second',
    (c) => (c.markFalse('A', why('First')), c.markFalse('B', why('Second')), c.markTrue('Extra')),
    'A=False(First) B=False(Second) Extra=True Ready=False(Second)',
  ],
  [
    'markUnknown: keeps Ready False with its reason',
    (c) => (c.markFalse('A', why('Broken')), c.markUnknown('B', why('Waiting'))),
    'A=False(Broken) B=Unknown(Waiting) Ready=False(Broken)',
  ],
  [
    'markUnknown: of what only informs leaves Ready',
    (c) => (c.initialize(), c.markUnknown('Extra', why('Hm'))),
    'A=Unknown B=Unknown Extra=Unknown(Hm) Ready=Unknown',
  ],
  [
    'markFalse: of what only informs leaves Ready',
    (c) => (c.initialize(), c.markFalse('Extra', why('Hm'))),
    'A=Unknown B=Unknown Extra=False(Hm) Ready=Unknown',
  ],
  [
    'copy: status and reason of another',
    (c) => c.copy('A', { status: 'False', reason: 'R', message: 'm' }),
    'A=False(R) Ready=False(R)',
  ],
  [
    'clear: only what informs',
    (c) => (c.markTrue('Extra'), c.markTrue('A'), c.clear('Extra'), c.clear('A')),
    'A=True Ready=Unknown',
  ],
];

for (const [name, marks, expected] of rows) {
  test(name, () => {
    const { status, conditions } = fresh();
    marks(conditions);
    assert.equal(show(status), expected);
  });
}

test('severity is Info for what only informs, absent otherwise', () => {
  const { status, conditions } = fresh();
  conditions.markTrue('Extra');
  conditions.markTrue('A');
  assert.deepEqual(status.conditions, [
    { type: 'A', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
    { type: 'Extra', status: 'True', severity: 'Info', lastTransitionTime: '2026-01-01T00:00:00Z' },
    { type: 'Ready', status: 'Unknown', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ]);
});

test('the time moves when the reason changes, and not when nothing does', () => {
  const { status, conditions } = fresh();
  conditions.markUnknown('A', why('One'));
  const later = manageConditions(set, status, T0 + 5000);
  later.markUnknown('A', why('One'));
  assert.equal(later.get('A')?.lastTransitionTime, '2026-01-01T00:00:00Z');
  later.markUnknown('A', why('Two'));
  assert.equal(later.get('A')?.lastTransitionTime, '2026-01-01T00:00:05Z');
});

test('a reconcile of a new generation: Ready Unknown at first, the generation observed at the end', () => {
  const { status, conditions } = fresh();
  conditions.markTrue('A');
  conditions.markTrue('B');
  const before = structuredClone({ ...status, observedGeneration: 1 });
  const next = structuredClone(before);
  const manager = manageConditions(set, next, T0 + 9000);
  beginReconcile(manager, next, 2);
  assert.equal(show(next), 'A=True B=True Ready=Unknown(NewObservedGenFailure)');
  manager.markTrue('A');
  assert.equal(show(next), 'A=True B=True Ready=True');
  endReconcile(before, next, 2);
  assert.equal(next.observedGeneration, 2);
  assert.deepEqual(next.conditions, before.conditions);
});

test('isReady and isFailed are about the current generation only', () => {
  const { status, conditions } = fresh();
  conditions.markFalse('A', why('X'));
  assert.ok(isFailed({ metadata: { generation: 1 }, status: { ...status, observedGeneration: 1 } }));
  assert.ok(!isFailed({ metadata: { generation: 2 }, status: { ...status, observedGeneration: 1 } }));
  assert.ok(!isReady({ metadata: { generation: 1 } }));
});
