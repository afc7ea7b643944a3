import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContainerProcess, parseImageConfig, planProcess } from '#runtime/image/image-config.ts';

const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)));

test('a configuration, all of it', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const config = {
    User: 'app:staff',
    ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '9000': {}, nonsense: {}, '99999/tcp': {} },
    Env: ['PATH=/bin', 'EMPTY='],
    Entrypoint: ['/app'],
    Cmd: ['serve'],
    WorkingDir: '/work',
    Labels: { a: 'b', odd: 5 },
    StopSignal: 'SIGINT',
    Volumes: { '/data': {} },
  };
  assert.deepEqual(
    parse({
      created: '2024-01-01T00:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [digest] },
    }),
    {
      os: 'linux',
      architecture: 'amd64',
      created: '2024-01-01T00:00:00Z',
      diffIds: [digest],
      entrypoint: ['/app'],
      cmd: ['serve'],
      env: ['PATH=/bin', 'EMPTY='],
      user: 'app:staff',
      workingDir: '/work',
      exposedPorts: [
        { port: 9000, protocol: 'TCP' },
        { port: 8080, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
      volumes: ['/data'],
      stopSignal: 'SIGINT',
      labels: { a: 'b' },
    },
  );
});

test('what is left out, or null, is empty', () => {
  const { entrypoint, cmd, env, user, workingDir, stopSignal, os } = parse({
    config: { Entrypoint: null, Cmd: null, Env: null },
  });
  assert.deepEqual([entrypoint, cmd, env, user, workingDir, stopSignal, os], [[], [], [], '', '', undefined, 'linux']);
  assert.deepEqual(parse({}).diffIds, []);
});

for (const [what, value] of [
  ['an entry point that is a string', { config: { Entrypoint: '/app' } }],
  ['an argument that is no string', { config: { Cmd: [5] } }],
  ['NUL in an argument', { config: { Cmd: ['a\0b'] } }],
  ['a user that is a number', { config: { User: 5 } }],
  ['a digest that is none', { rootfs: { diff_ids: ['x'] } }],
] as const) {
  test(`refused: ${what}`, () => assert.throws(() => parse(value), { code: 'MalformedImage' }));
}

/** The table of Kubernetes' documentation, and what its tables leave open. */
const ARGV: readonly [what: string, image: object, container: ContainerProcess, argv: string[]][] = [
  ['nothing given', { Entrypoint: ['e'], Cmd: ['c'] }, {}, ['e', 'c']],
  ['command', { Entrypoint: ['e'], Cmd: ['c'] }, { command: ['x'] }, ['x']],
  ['args', { Entrypoint: ['e'], Cmd: ['c'] }, { args: ['y'] }, ['e', 'y']],
  ['both', { Entrypoint: ['e'], Cmd: ['c'] }, { command: ['x'], args: ['y'] }, ['x', 'y']],
  ['no entry point', { Cmd: ['c', 'd'] }, {}, ['c', 'd']],
  ['no entry point, args', { Cmd: ['c'] }, { args: ['y'] }, ['y']],
  ['empty lists say nothing', { Entrypoint: ['e'], Cmd: ['c'] }, { command: [], args: [] }, ['e', 'c']],
  ['no command at all', {}, {}, []],
];

for (const [what, config, container, argv] of ARGV) {
  test(`command line: ${what}`, () => assert.deepEqual(planProcess(parse({ config }), container).argv, argv));
}

test('the container overrides the image variable by variable', () => {
  const image = parse({ config: { Env: ['A=1', 'B=2', 'C', '=x', 'D=a=b'] } });
  const env = [
    { name: 'B', value: '3' },
    { name: 'E', value: '' },
  ];
  assert.deepEqual(planProcess(image, { env }).env, ['A=1', 'B=3', 'D=a=b', 'E=']);
});

test('the working directory: the container, the image, the root', () => {
  const image = parse({ config: { WorkingDir: '/image' } });
  assert.deepEqual(
    [planProcess(image, { workingDir: '/own' }).cwd, planProcess(image, {}).cwd, planProcess(parse({}), {}).cwd],
    ['/own', '/image', '/'],
  );
});
