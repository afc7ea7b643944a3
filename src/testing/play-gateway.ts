/** Plays a gateway: connects to the link, keeps the table, acknowledges every version. */
import net from 'node:net';
import { encodeLine, type ControlMessage, type GatewayMessage, LineReader } from '#protocol/link.ts';
import { applyRoutingUpdate, emptyRoutingTable, type RoutingTable } from '#protocol/routing.ts';

export interface PlayedGateway extends AsyncDisposable {
  readonly table: RoutingTable;
  /** Messages from control, in the order of arrival. */
  readonly received: readonly ControlMessage[];
  /** While false, nothing is acknowledged. */
  acknowledges: boolean;
  send(message: GatewayMessage): void;
}

export async function playGateway(socketPath: string, start: RoutingTable = emptyRoutingTable): Promise<PlayedGateway> {
  const socket = net.connect(socketPath);
  const reader = new LineReader<ControlMessage>();
  const received: ControlMessage[] = [];
  const send = (message: GatewayMessage) => void socket.write(encodeLine(message));
  const gateway = {
    table: start,
    received,
    acknowledges: true,
    send,
    async [Symbol.asyncDispose]() {
      if (socket.closed) return;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      await closed;
    },
  };
  socket.on('data', (chunk: Buffer) => {
    for (const message of reader.feed(chunk) ?? []) {
      received.push(message);
      const next = message.type === 'table' ? message.table : applyRoutingUpdate(gateway.table, message.update);
      if (!next) throw new Error(`an update from ${message.type} does not follow on version ${gateway.table.version}`);
      gateway.table = next;
      if (gateway.acknowledges) send({ type: 'ack', epoch: next.epoch, version: next.version });
    }
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  send({ type: 'hello', pid: process.pid, epoch: start.epoch, version: start.version });
  return gateway;
}
