/**
 * One check of a container, with the meaning and the messages of the kubelet's.
 *
 * HTTP: 200–399 is success; redirects to other hosts are not followed; at most `MAX_BODY_BYTES` of the answer are read.
 * TCP: the connection is accepted. gRPC: `grpc.health.v1.Health/Check` says SERVING. exec: exit code 0.
 *
 * The other end is the user's program: answers are bounded in size and time and never trusted further.
 */
import http from 'node:http';
import http2 from 'node:http2';
import type net from 'node:net';
import tls from 'node:tls';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Probe } from '#kube/kinds/core/probe.ts';
import { inWords } from '#base/network-words.ts';

/** Most bytes of an HTTP answer that are read. */
const MAX_BODY_BYTES = 10 * 1024;

/** Most bytes of output that a failed command's message shows. */
const MAX_OUTPUT_BYTES = 10 * 1024;

const USER_AGENT = 'kube-probe/1.33';

export interface CheckResult {
  /** `unknown`: it could not be tried, which says nothing about the program. */
  readonly outcome: 'success' | 'failure' | 'unknown';
  /** Why not; part of the text of the Unhealthy event. */
  readonly message: string;
}

/** A check could not be made at all: no such port, no such command. */
export class CheckNotMade extends Error {
  override readonly name = 'CheckNotMade';
}

export interface CheckTarget {
  readonly container: Container;
  /** The pod's address. */
  readonly address: string;
  /** Opens a connection to a port of the pod; by its address, or from inside where the application listens there only. */
  readonly connect: (port: number, host: string, signal: AbortSignal) => Promise<net.Socket>;
  /** Rejects with a `CheckNotMade` when the command could not be started. */
  readonly exec: (command: readonly string[], signal: AbortSignal) => Promise<{ code: number; output: string }>;
}

const OK: CheckResult = { outcome: 'success', message: '' };

const failure = (message: string): CheckResult => ({ outcome: 'failure', message });

/** Never throws; a check that takes longer than the signal allows has failed. */
export async function check(probe: Probe, target: CheckTarget, signal: AbortSignal): Promise<CheckResult> {
  try {
    if (probe.exec) return await checkExec(probe.exec.command ?? [], target, signal);
    if (probe.httpGet) return await checkHttp(probe.httpGet, target, signal);
    if (probe.grpc) return await checkGrpc(probe.grpc, target, signal);
    if (probe.tcpSocket) return await checkTcp(probe.tcpSocket, target, signal);
    return OK;
  } catch (error) {
    if (error instanceof CheckNotMade && !signal.aborted) return { outcome: 'unknown', message: error.message };
    return failure(describe(error, signal));
  }
}

async function connect(
  target: CheckTarget,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<net.Socket> {
  try {
    return await target.connect(port, host, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(inWords(error, host, port), { cause: error });
  }
}

function describe(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'timed out';
  return error instanceof Error ? error.message : String(error);
}

/** By number, or by the name of one of the container's ports. */
function probePort(port: number | string | undefined, container: Container): number {
  if (typeof port === 'number' && port > 0) return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (Number.isInteger(number) && number > 0) return number;
  const [only] = container.ports ?? [];
  if (only && (port === undefined || port === 0 || port === '')) return only.containerPort;
  throw new CheckNotMade(`couldn't find port: ${String(port)}`);
}

async function checkTcp(
  { host, port }: NonNullable<Probe['tcpSocket']>,
  target: CheckTarget,
  signal: AbortSignal,
): Promise<CheckResult> {
  const at = { host: host ?? target.address, port: probePort(port, target.container) };
  const socket = await connect(target, at, signal);
  socket.destroy();
  return OK;
}

async function checkHttp(
  get: NonNullable<Probe['httpGet']>,
  target: CheckTarget,
  signal: AbortSignal,
): Promise<CheckResult> {
  const port = probePort(get.port, target.container);
  const host = get.host ?? target.address;
  const isTls = get.scheme === 'HTTPS';
  const path = get.path ?? '/';
  const url = `${isTls ? 'https' : 'http'}://${host}:${port}${path}`;
  const failed = (error: unknown) => {
    const words = signal.aborted ? describe(error, signal) : inWords(error, host, port);
    return new Error(`Get "${url}": ${words}`, { cause: error });
  };
  const socket = await target.connect(port, host, signal).catch((error: unknown) => {
    throw failed(error);
  });
  const headers = headersOf(get.httpHeaders ?? [], `${host}:${port}`);
  const options: http.RequestOptions = {
    method: 'GET',
    path: path.startsWith('/') ? path : `/${path}`,
    headers,
    // The kubelet does not verify certificates either: the probe asks whether it answers, not who it is.
    createConnection: () => (isTls ? tls.connect({ socket, rejectUnauthorized: false }) : socket),
    signal,
  };
  try {
    const status = await request(options);
    if (status >= 200 && status < 400) return OK;
    return failure(`HTTP probe failed with statuscode: ${status}`);
  } catch (error) {
    throw failed(error);
  } finally {
    socket.destroy();
  }
}

function headersOf(headers: readonly { name: string; value: string }[], host: string): http.OutgoingHttpHeaders {
  const result: http.OutgoingHttpHeaders = { 'user-agent': USER_AGENT, accept: '*/*', host, connection: 'close' };
  for (const { name, value } of headers) result[name.toLowerCase()] = value;
  return result;
}

function request(options: http.RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(options, (response) => {
      let size = 0;
      const done = () => resolve(response.statusCode ?? 0);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) done();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function checkExec(command: readonly string[], target: CheckTarget, signal: AbortSignal): Promise<CheckResult> {
  const { code, output } = await target.exec(command, signal);
  return code === 0 ? OK : failure(output.slice(0, MAX_OUTPUT_BYTES) || `command exited with code ${code}`);
}

/** Status SERVING of grpc.health.v1.HealthCheckResponse. */
const SERVING = 1;

async function checkGrpc(
  { port, service = '' }: NonNullable<Probe['grpc']>,
  target: CheckTarget,
  signal: AbortSignal,
): Promise<CheckResult> {
  const socket = await connect(target, { host: target.address, port }, signal);
  const session = http2.connect(`http://${target.address}:${port}`, { createConnection: () => socket });
  try {
    const { body, status } = await callHealth(session, service, signal);
    if (status !== '0') return failure(`error: health rpc failed: grpc-status ${status}`);
    const serving = readServingStatus(body);
    return serving === SERVING ? OK : failure(`service unhealthy (responded with ${serving})`);
  } finally {
    session.destroy();
  }
}

function callHealth(
  session: http2.ClientHttp2Session,
  service: string,
  signal: AbortSignal,
): Promise<{ body: Buffer; status: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': USER_AGENT,
    };
    session.on('error', reject);
    const stream = session.request(headers, { signal });
    const chunks: Buffer[] = [];
    let status = '';
    const readStatus = (fields: http2.IncomingHttpHeaders) => {
      const value = fields['grpc-status'];
      if (typeof value === 'string') status = value;
    };
    stream.on('response', readStatus);
    stream.on('trailers', readStatus);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve({ body: Buffer.concat(chunks), status }));
    stream.on('error', reject);
    stream.end(healthRequest(service));
  });
}

/** One length-prefixed gRPC message with HealthCheckRequest{1: service}. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Field 1 of HealthCheckResponse; 0 (UNKNOWN) when it is absent. */
function readServingStatus(body: Buffer): number {
  return body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0;
}
