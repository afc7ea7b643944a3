/** The link over a real socket: what gateways are sent, what they may say, and what becomes of those that misbehave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { type LinkHandlers, LinkServer, type LinkTable } from '#ingress/link-server.ts';
import { type ControlMessage, encodeLine, LineReader } from '#protocol/link.ts';
import { emptyRoutingTable, type RoutingTable, type RoutingUpdate } from '#protocol/routing.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { playGateway } from '#testing/play-gateway.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

/** A table whose versions differ in one setting, which may be long. */
class Versions implements LinkTable {
  readonly epoch: string;
  version = 1;
  padding = '';
  /** Versions that may be caught up from. */
  oldest = 1;

  constructor(epoch = 'e') {
    this.epoch = epoch;
  }

  get #settings() {
    return { ...emptyRoutingTable.settings, requestLogTemplate: `${this.version}${this.padding}` };
  }

  table(): RoutingTable {
    return { ...emptyRoutingTable, epoch: this.epoch, version: this.version, settings: this.#settings };
  }

  updateSince(fromVersion: number): RoutingUpdate | undefined {
    if (fromVersion < this.oldest || fromVersion > this.version) return undefined;
    const nothing = { routes: [], deletedRoutes: [], targets: [], deletedTargets: [] };
    return { epoch: this.epoch, fromVersion, version: this.version, settings: this.#settings, ...nothing };
  }
}

class World implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly clock = new FakeClock();
  readonly table: Versions;
  readonly link: LinkServer;
  readonly told: string[] = [];
  acknowledgements = 0;

  private constructor(table: Versions, handlers: Partial<LinkHandlers>) {
    this.table = table;
    this.link = new LinkServer({
      socketPath: this.socketPath,
      table,
      clock: this.clock,
      logger: silentLogger,
      onReport: ({ revisions }) => void this.told.push(`report ${revisions.length}`),
      onActivate: ({ name }) => void this.told.push(`activate ${name}`),
      onColdStart: ({ pod }) => void this.told.push(`coldstart ${pod}`),
      onDrained: ({ endpoints }) => void this.told.push(`drained ${endpoints.join()}`),
      onAcknowledged: () => (this.acknowledgements += 1),
      ...handlers,
    });
  }

  static async start(table = new Versions(), handlers: Partial<LinkHandlers> = {}): Promise<World> {
    const world = new World(table, handlers);
    await world.link.listen();
    return world;
  }

  get socketPath(): string {
    return this.#folder.at('link.sock');
  }

  publish(padding = ''): void {
    this.table.version += 1;
    this.table.padding = padding;
    this.link.push();
  }

  acknowledged(version: number): Promise<boolean> {
    return eventually(() => this.link.acknowledged === version, { what: `version ${version} acknowledged` });
  }

  async connect(): Promise<net.Socket> {
    const socket = net.connect(this.socketPath).on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

const HELLO = encodeLine({ type: 'hello', pid: 1, epoch: '', version: 0 });
const REPORT = encodeLine({ type: 'report', at: 0, periodMs: 1_000, revisions: [] });

const typesOf = (messages: readonly ControlMessage[]) => messages.map(({ type }) => type);

test('a new gateway is sent the table, then every change', async () => {
  await using world = await World.start();
  await using gateway = await playGateway(world.socketPath);
  await world.acknowledged(1);
  assert.equal(world.link.gateways, 1);
  world.publish();
  await world.acknowledged(2);
  world.publish();
  await world.acknowledged(3);
  assert.deepEqual(typesOf(gateway.received), ['table', 'update', 'update']);
  assert.equal(gateway.table.settings.requestLogTemplate, '3');
});

test('a gateway that comes back is sent what it missed', async () => {
  await using world = await World.start();
  const known = world.table.table();
  world.publish();
  world.publish();
  await using gateway = await playGateway(world.socketPath, known);
  await world.acknowledged(3);
  assert.deepEqual(typesOf(gateway.received), ['update']);
});

test('a gateway that missed nothing is sent nothing, and counts as served', async () => {
  await using world = await World.start();
  await using gateway = await playGateway(world.socketPath, world.table.table());
  await world.acknowledged(1);
  assert.deepEqual(gateway.received, []);
});

const STRANGERS: readonly [string, (world: World) => RoutingTable][] = [
  ['of another life of control', () => new Versions('before').table()],
  ['of a version that never was', ({ table }) => ({ ...table.table(), version: 99 })],
  [
    'that missed too much',
    ({ table }) => {
      const old = table.table();
      table.version = 50;
      table.oldest = 40;
      return old;
    },
  ],
];

for (const [what, tableOf] of STRANGERS) {
  test(`a gateway with a table ${what} starts anew, and is not served until it says so`, async () => {
    await using world = await World.start();
    const before = tableOf(world);
    await using gateway = await playGateway(world.socketPath, before);
    await eventually(() => gateway.received.length > 0);
    assert.deepEqual(typesOf(gateway.received), ['table']);
    await world.acknowledged(world.table.version);
  });
}

test('of several gateways the slowest counts, as long as it is there', async () => {
  await using world = await World.start();
  await using _fast = await playGateway(world.socketPath);
  const slow = await playGateway(world.socketPath);
  await eventually(() => world.link.gateways === 2 && world.link.acknowledged === 1);
  slow.acknowledges = false;
  world.publish();
  await eventually(() => slow.table.version === 2);
  assert.equal(world.link.acknowledged, 1);
  const before = world.acknowledgements;
  await slow[Symbol.asyncDispose]();
  await world.acknowledged(2);
  assert.ok(world.acknowledgements > before);
  assert.equal(world.link.gateways, 1);
});

test('with no gateway nothing is acknowledged', async () => {
  await using world = await World.start();
  const gateway = await playGateway(world.socketPath);
  await world.acknowledged(1);
  await gateway[Symbol.asyncDispose]();
  await world.acknowledged(0);
});

test('acknowledgements of another epoch or of the future don’t count', async () => {
  await using world = await World.start();
  await using gateway = await playGateway(world.socketPath);
  await world.acknowledged(1);
  world.publish();
  gateway.acknowledges = false;
  gateway.send({ type: 'ack', epoch: 'other', version: 2 });
  gateway.send({ type: 'ack', epoch: 'e', version: 7 });
  gateway.send({ type: 'report', at: 0, periodMs: 1_000, revisions: [] });
  await eventually(() => world.told.length > 0);
  assert.equal(world.link.acknowledged, 1);
});

test('a gateway that does not read is sent one message with all that it missed once it does', async () => {
  await using world = await World.start();
  const socket = await world.connect();
  const reader = new LineReader<ControlMessage>();
  const received: ControlMessage[] = [];
  socket.on('data', (chunk: Buffer) => received.push(...(reader.feed(chunk) ?? [])));
  socket.write(HELLO);
  await eventually(() => received.length === 1);
  socket.pause();
  const padding = 'x'.repeat(1 << 20);
  for (let index = 0; index < 200; index += 1) world.publish(padding);
  socket.resume();
  const last = await eventually(() => {
    const message = received.at(-1);
    return message?.type === 'update' && message.update.version === 201 ? message.update : undefined;
  });
  assert.ok(last.fromVersion > 1 && received.length < 10, `${received.length} messages`);
  socket.destroy();
});

test('what a gateway says is handed on, however the bytes come', async () => {
  await using world = await World.start();
  const socket = await world.connect();
  const at = { namespace: 'default', name: 'r', at: 0 };
  const lines = [
    HELLO,
    REPORT,
    encodeLine({ type: 'activate', ...at, queued: 1 }),
    encodeLine({ type: 'coldstart', ...at, pod: 'default/p', totalMs: 1, steps: [] }),
    '{"type":"of tomorrow"}\n',
    encodeLine({ type: 'drained', endpoints: ['u', 'v'] }),
  ].join('');
  for (const byte of lines.slice(0, 200)) {
    socket.write(byte);
    await new Promise(setImmediate);
  }
  socket.write(lines.slice(200));
  await eventually(() => world.told.length === 4);
  assert.deepEqual(world.told, ['report 0', 'activate r', 'coldstart default/p', 'drained u,v']);
  socket.destroy();
});

const BREACHES: readonly [string, string][] = [
  ['speaks before it has said hello', `${REPORT}${HELLO}`],
  ['sends no JSON', `${HELLO}nonsense\n${REPORT}`],
  ['sends null', `${HELLO}null\n${REPORT}`],
  ['sends a list', `${HELLO}[]\n${REPORT}`],
];

for (const [what, text] of BREACHES) {
  test(`a peer that ${what} is cut off, others are not`, async () => {
    await using world = await World.start();
    await using _gateway = await playGateway(world.socketPath);
    await world.acknowledged(1);
    const socket = await world.connect();
    const closed = once(socket.resume(), 'close');
    socket.write(text);
    await closed;
    await eventually(() => world.link.gateways === 1);
    assert.deepEqual(world.told, []);
    assert.equal(world.link.acknowledged, 1);
  });
}

test('a peer that never says hello is cut off after a while', async () => {
  await using world = await World.start();
  const socket = await world.connect();
  const closed = once(socket, 'close');
  await eventually(() => world.clock.pending > 0);
  await world.clock.advance(9_999);
  assert.equal(socket.destroyed, false);
  await world.clock.advance(1);
  await closed;
});

test('a peer that vanishes in the middle of a message leaves nothing behind', async () => {
  await using world = await World.start();
  const socket = await world.connect();
  socket.write(`${HELLO}{"type":"rep`);
  await eventually(() => world.link.gateways === 1);
  socket.destroy();
  await eventually(() => world.link.gateways === 0);
  assert.equal(world.clock.pending, 0);
});

test('the socket is the platform’s own, and takes the place of an earlier one, which may end later', async () => {
  using folder = new TemporaryFolder();
  const socketPath = folder.at('link.sock');
  writeFileSync(socketPath, 'left behind');
  const handlers = { onReport() {}, onActivate() {}, onColdStart() {}, onAcknowledged() {} };
  const options = { socketPath, clock: systemClock, logger: silentLogger, ...handlers };
  const first = new LinkServer({ ...options, table: new Versions('first') });
  await first.listen();
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  await using second = new LinkServer({ ...options, table: new Versions('second') });
  await second.listen();
  await first[Symbol.asyncDispose]();
  await using gateway = await playGateway(socketPath);
  await eventually(() => gateway.table.epoch === 'second');
  assert.equal(second.gateways, 1);
});
