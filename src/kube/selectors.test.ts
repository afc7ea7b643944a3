import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesFields, parseFieldSelector, requiredFieldValue } from '#kube/field-selectors.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { ParseError } from '#kube/parse-error.ts';
import { selectableFields, unselectableField } from '#kube/selectable-fields.ts';
import {
  EVERYTHING,
  formatSelector,
  labelErrors,
  labelSelectorErrors,
  matchesLabels,
  NOTHING,
  parseLabelSelector,
  type Selector,
  selectorOf,
  selectorOfLabels,
} from '#kube/selectors.ts';
import { Launch } from '#testing/launch.ts';
import { type RecordedStep, recordedCases } from '#testing/recorded-http.ts';

interface Answer {
  readonly message?: string;
  readonly items?: readonly { readonly metadata: { readonly name: string } }[] | null;
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
}

function parameterOf({ path }: RecordedStep, name: string): string | null {
  return new URL(path, 'http://server').searchParams.get(name);
}

function read(text: string): Selector {
  const selector = parseLabelSelector(text);
  assert.ok(!(selector instanceof ParseError), text);
  return selector;
}

test('label selectors choose what a real API server chose', () => {
  const [recorded] = recordedCases(/^selectors-labels/);
  const objects: Labelled[] = [];
  let rows = 0;
  for (const step of recorded?.steps ?? []) {
    const text = parameterOf(step, 'labelSelector');
    if (step.method === 'POST') objects.push(step.body as Labelled);
    const { items } = (step.expect.body ?? {}) as Answer;
    if (text === null || step.method !== 'GET' || items === undefined) continue;
    const chosen = objects.filter(({ metadata }) => matchesLabels(read(text), metadata.labels));
    assert.deepEqual(
      chosen.map(({ metadata }) => metadata.name),
      (items ?? []).map(({ metadata }) => metadata.name),
      text,
    );
    rows += 1;
  }
  assert.ok(rows >= 10, `only ${rows}`);
});

test('label selectors are refused in the words of a real API server', () => {
  let rows = 0;
  for (const step of recordedCases(/^selectors-label-errors/).flatMap(({ steps }) => steps)) {
    const result = parseLabelSelector(parameterOf(step, 'labelSelector') ?? '');
    const { message } = step.expect.body as Answer;
    assert.equal(result instanceof ParseError ? result.message : undefined, message);
    rows += 1;
  }
  assert.ok(rows >= 12, `only ${rows}`);
});

test('selectors are printed in canonical form', () => {
  const rows: [string, string][] = [
    ['b=1,a==2', 'a==2,b=1'],
    ['a in (y, x , y)', 'a in (x,y)'],
    ['a notin ()', 'a notin ()'],
    ['!a,b', '!a,b'],
    ['a>1, b<2', 'a>1,b<2'],
    ['a=', 'a='],
    ['in=notin', 'in=notin'],
    ['a in (,x,)', 'a in (,x)'],
    ['', ''],
  ];
  for (const [text, printed] of rows) assert.equal(formatSelector(read(text)), printed, text);
});

test('law: what is printed reads back as itself', () => {
  const word = fc.constantFrom('a', 'b.c', 'example.com/d', 'in', 'x1');
  const values = fc.uniqueArray(fc.constantFrom('', 'v', 'w-1', 'notin'), { minLength: 1, maxLength: 3 });
  const requirement = fc.oneof(
    word,
    word.map((key) => `!${key}`),
    fc.tuple(word, fc.constantFrom('=', '==', '!='), fc.constantFrom('', 'v')).map((parts) => parts.join('')),
    fc
      .tuple(word, fc.constantFrom('in', 'notin'), values)
      .map(([key, operator, list]) => `${key} ${operator} (${list.join(',')})`),
  );
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), (requirements) => {
      const printed = formatSelector(read(requirements.join(',')));
      assert.equal(formatSelector(read(printed)), printed);
    }),
  );
});

test('numbers are compared as numbers', () => {
  assert.ok(matchesLabels(read('a>9'), { a: '10' }));
  assert.ok(!matchesLabels(read('a<9'), { a: '10' }));
  assert.ok(!matchesLabels(read('a>9'), { a: 'x' }));
  assert.ok(!matchesLabels(read('a>9'), {}));
});

test('selectors in object form', () => {
  const pod = { app: 'a', tier: 'x' };
  const matches = (selector: Parameters<typeof selectorOf>[0]) => {
    const result = selectorOf(selector);
    return result instanceof ParseError ? result.message : matchesLabels(result, pod);
  };
  assert.equal(matches(undefined), false);
  assert.equal(matches({}), true);
  assert.equal(
    matches({ matchLabels: { app: 'a' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['x', 'y'] }] }),
    true,
  );
  assert.equal(matches({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['x'] }] }), false);
  assert.equal(matches({ matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] }), true);
  assert.equal(
    matches({ matchExpressions: [{ key: 'app', operator: 'Near' }] }),
    '"Near" is not a valid label selector operator',
  );
  assert.ok(matchesLabels(EVERYTHING, undefined) && !matchesLabels(NOTHING, pod));
  assert.ok(!matchesLabels(selectorOfLabels({ toString: 'x' }), {}));
});

test('what is wrong with selectors and labels of a spec', () => {
  const errors = labelSelectorErrors(
    {
      matchLabels: { app: 'a/b' },
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: '-', operator: 'Exists', values: ['!'] },
        { key: 'a', operator: 'Near' },
      ],
    },
    'spec.selector',
  );
  const shown = errors.map(({ field, message }) => `${field}: ${message.slice(0, 40)}`);
  assert.deepEqual(shown, [
    'spec.selector.matchLabels: Invalid value: "a/b": a valid label must',
    'spec.selector.matchExpressions[0].values: Required value: must be specified when `',
    'spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `op',
    'spec.selector.matchExpressions[1].key: Invalid value: "-": name part must consi',
    'spec.selector.matchExpressions[1].values[0]: Invalid value: "!": a valid label must b',
    'spec.selector.matchExpressions[2].operator: Invalid value: "Near": not a valid selec',
  ]);
  assert.equal(labelErrors({ 'bad key!': 'x', k: 'bad value!' }, 'metadata.labels').length, 2);
});

test('field selectors answer and are refused as a real API server does', () => {
  const kinds = [...builtinKinds, Launch];
  let rows = 0;
  for (const step of recordedCases(/^selectors-fields/).flatMap(({ steps }) => steps)) {
    const text = parameterOf(step, 'fieldSelector');
    const [, group = '', plural] =
      /^\/(?:api|apis\/([^/]+))\/v\d+\/(?:namespaces\/[^/]+\/)?(\w+)/.exec(step.path) ?? [];
    const kind = kinds.find((candidate) => candidate.group === group && candidate.plural === plural);
    if (text === null || kind === undefined) continue;
    const selector = parseFieldSelector(text);
    const problem = selector instanceof ParseError ? selector : unselectableField(kind, selector);
    assert.equal(problem?.message, (step.expect.body as Answer).message, step.path);
    rows += 1;
  }
  assert.ok(rows >= 30, `only ${rows}`);
});

test('field selectors of pods choose what a real API server chose', () => {
  const pods: Pod[] = [];
  const [recorded] = recordedCases(/^selectors-fields\.json/);
  let rows = 0;
  for (const step of recorded?.steps ?? []) {
    const text = parameterOf(step, 'fieldSelector');
    if (step.method === 'POST' && step.path.endsWith('/pods')) pods.push(asCreated(step.body as Pod));
    const { items } = (step.expect.body ?? {}) as Answer;
    const selector = text === null ? undefined : parseFieldSelector(text);
    if (selector === undefined || selector instanceof ParseError || items === undefined) continue;
    const chosen = pods.filter((pod) => matchesFields(selector, selectableFields(Pod, pod)));
    assert.deepEqual(
      chosen.map(({ metadata }) => metadata.name),
      (items ?? []).map(({ metadata }) => metadata.name),
      step.path,
    );
    rows += 1;
  }
  assert.ok(rows >= 12, `only ${rows}`);
});

/** With what the server fills in. */
function asCreated(pod: Pod): Pod {
  const spec = { restartPolicy: 'Always' as const, serviceAccountName: 'default', ...pod.spec };
  return { ...pod, metadata: { ...pod.metadata, namespace: '{{ns}}' }, spec, status: { phase: 'Pending' } };
}

test('field selectors: escapes, and the value that one demands', () => {
  const selector = parseFieldSelector('a=x\\,y\\=z,b!=1');
  assert.ok(!(selector instanceof ParseError));
  assert.equal(requiredFieldValue(selector, 'a'), 'x,y=z');
  assert.equal(requiredFieldValue(selector, 'b'), undefined);
  assert.ok(matchesFields(selector, { a: 'x,y=z' }));
  const bad = parseFieldSelector('a=x\\y');
  assert.equal(bad instanceof ParseError && bad.message, 'invalid field selector: invalid escape sequence: \\y');
});
