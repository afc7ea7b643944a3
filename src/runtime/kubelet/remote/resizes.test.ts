import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resizes } from '#runtime/kubelet/remote/resizes.ts';

const streams: [name: string, chunks: string[], sizes: [columns: number, rows: number][]][] = [
  ['one size', ['{"Width":80,"Height":24}\n'], [[80, 24]]],
  [
    'two in one piece',
    ['{"Width":80,"Height":24}\n{"Width":100,"Height":40}\n'],
    [
      [80, 24],
      [100, 40],
    ],
  ],
  ['one in two pieces', ['{"Width":8', '0,"Height":24}\n'], [[80, 24]]],
  ['no newline', ['{"Width":80,"Height":24}'], [[80, 24]]],
  ['garbage before', ['nonsense}{"Width":80,"Height":24}'], [[80, 24]]],
  [
    'sizes that are none',
    ['{"Width":-1,"Height":24}{"Width":"8","Height":2}{"Width":70000,"Height":1}{"Width":1.5,"Height":1}{}'],
    [],
  ],
  ['an object that never ends', [`{"Width":80${' '.repeat(5_000)}`, '{"Width":81,"Height":24}'], [[81, 24]]],
];

for (const [name, chunks, expected] of streams) {
  test(`window sizes, ${name}`, () => {
    const resizes = new Resizes();
    const seen: [number, number][] = [];
    resizes.listen(({ columns, rows }) => seen.push([columns, rows]));
    for (const chunk of chunks) resizes.feed(Buffer.from(chunk));
    assert.deepEqual(seen, expected);
  });
}

test('the last size that came before anyone listened is told', () => {
  const resizes = new Resizes();
  resizes.feed(Buffer.from('{"Width":80,"Height":24}{"Width":90,"Height":30}'));
  const seen: number[] = [];
  resizes.listen(({ columns }) => seen.push(columns));
  assert.deepEqual(seen, [90]);
});
