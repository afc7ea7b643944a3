import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortDiff } from '#knative/admission/go-diff.ts';
import { revisionSpec, revisionTemplate } from '#knative/admission/wire/kinds.ts';

const diff = (before: unknown, after: unknown) => shortDiff(revisionSpec, [before, after], '{v1.RevisionSpec}');

const rows: [string, unknown, unknown, string][] = [
  ['nothing', { timeoutSeconds: 1 }, { timeoutSeconds: 1 }, ''],
  [
    'a value behind a pointer has a star',
    { timeoutSeconds: 300 },
    { timeoutSeconds: 9 },
    '*{v1.RevisionSpec}.TimeoutSeconds:\n\t-: "300"\n\t+: "9"\n',
  ],
  [
    'a pointer to nothing has none',
    { timeoutSeconds: 300 },
    {},
    '{v1.RevisionSpec}.TimeoutSeconds:\n\t-: "300"\n\t+: "nil"\n',
  ],
  [
    'embedded structs show in the path',
    { containers: [{ name: 'c', image: 'a' }] },
    { containers: [{ name: 'c', image: 'b' }] },
    '{v1.RevisionSpec}.PodSpec.Containers[0].Image:\n\t-: "a"\n\t+: "b"\n',
  ],
  [
    'an entry more, and one less',
    { containers: [{ args: ['x', 'y'] }] },
    { containers: [{ args: ['x'] }, { name: 'z' }] },
    '{v1.RevisionSpec}.PodSpec.Containers[0].Args[1->?]:\n\t-: "y"\n\t+: "nil"\n' +
      '{v1.RevisionSpec}.PodSpec.Containers[?->1]:\n\t-: "nil"\n\t+: "{"name":"z"}"\n',
  ],
  [
    'an entry of a map',
    { nodeSelector: { a: '1', b: '1' } },
    { nodeSelector: { b: '2', c: '1' } },
    '{v1.RevisionSpec}.PodSpec.NodeSelector["a"]:\n\t-: "1"\n' +
      '{v1.RevisionSpec}.PodSpec.NodeSelector["b"]:\n\t-: "1"\n\t+: "2"\n' +
      '{v1.RevisionSpec}.PodSpec.NodeSelector["c"]:\n\t+: "1"\n',
  ],
];
for (const [name, before, after, expected] of rows) {
  test(`diff: ${name}`, () => assert.equal(diff(before, after), expected));
}

test('diff: of a template', () => {
  const pair = [
    { metadata: { labels: { a: '1' } }, spec: {} },
    { metadata: { labels: { a: '2' } }, spec: {} },
  ] as const;
  const text = shortDiff(revisionTemplate, pair, '{*v1.RevisionTemplateSpec}');
  assert.equal(text, '{*v1.RevisionTemplateSpec}.ObjectMeta.Labels["a"]:\n\t-: "1"\n\t+: "2"\n');
});
