/** The way from the API to the node agent's socket, with a plain HTTP server at its end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createKubeletProxy } from '#apiserver/http/kubelet-proxy.ts';
import { type ClusterAccess, loadKubeconfig } from '#client/kubeconfig.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { typed } from '#kube/kind.ts';
import { eventually } from '#testing/eventually.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { WebhookServer } from '#testing/webhook-server.ts';

interface World extends AsyncDisposable {
  readonly api: HttpsApi;
  /** A request with the administrator's certificate. */
  ask(subresource: string, headers?: Record<string, string>): http.ClientRequest;
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;
type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

async function start(serve: Serve, upgrade?: Upgrade): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(path.join(tmpdir(), 'kubelet-proxy-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const socketPath = path.join(folder, 'kubelet.sock');
  const agent = http.createServer(serve).listen(socketPath);
  if (upgrade) agent.on('upgrade', upgrade);
  await once(agent, 'listening');
  stack.defer(() => {
    agent.close();
    agent.closeAllConnections();
  });
  const api = stack.use(
    await startHttpsApi({ kinds: builtinKinds, http: { kubelet: createKubeletProxy(socketPath) } }),
  );
  const { client } = api;
  await client.create(Namespace, typed(Namespace, { metadata: { name: 'default' } }));
  await client.create(ServiceAccount, typed(ServiceAccount, { metadata: { namespace: 'default', name: 'default' } }));
  const spec = { nodeName: 'here', containers: [{ name: 'app', image: 'x' }] };
  await client.create(Pod, typed(Pod, { metadata: { namespace: 'default', name: 'talk' }, spec }));
  const access = loadKubeconfig(api.kubeconfig);
  const ask = (subresource: string, headers: Record<string, string> = {}) => {
    const url = `${api.url}/api/v1/namespaces/default/pods/talk/${subresource}`;
    const sent = https.request(url, { ...tlsOf(access), headers, agent: false });
    sent.on('error', () => {});
    sent.end();
    return sent;
  };
  const owned = stack.move();
  return { api, ask, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function tlsOf({ caCertificate, clientCertificate, clientKey }: ClusterAccess): https.RequestOptions {
  return { ca: caCertificate, cert: clientCertificate, key: clientKey };
}

interface Answer {
  readonly code: number | undefined;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

async function answerTo(sent: http.ClientRequest): Promise<Answer> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
  return { code: answer.statusCode, text: Buffer.concat(pieces).toString(), headers: answer.headers };
}

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };

test('each piece of a log goes out as it comes, and the end is the end', async () => {
  let answer: ServerResponse | undefined;
  await using world = await start((_request, response) => {
    response.write('first\n');
    answer = response;
  });
  const [received] = (await once(world.ask('log?follow=true'), 'response')) as [IncomingMessage];
  assert.deepEqual([received.statusCode, received.headers['content-type']], [200, 'text/plain']);
  let text = '';
  received.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually(() => text === 'first\n');
  answer?.write('second\n');
  await eventually(() => text === 'first\nsecond\n');
  answer?.end();
  await once(received, 'end');
});

test('a client that leaves ends the request at the agent', async () => {
  let isOver = false;
  await using world = await start((_request, response) => {
    response.write('first\n');
    response.on('close', () => (isOver = true));
  });
  const sent = world.ask('log?follow=true');
  const [received] = (await once(sent, 'response')) as [IncomingMessage];
  received.on('error', () => {});
  sent.destroy();
  await eventually(() => isOver);
});

test('an agent that breaks off shows as an answer that is cut', async () => {
  await using world = await start((_request, response) => {
    response.write('first\n');
    setImmediate(() => response.destroy());
  });
  await assert.rejects(answerTo(world.ask('log')), /aborted/);
});

const errors: [code: number, text: string, message: string, reason: string][] = [
  [400, 'is waiting to start', 'is waiting to start', 'BadRequest'],
  [404, 'pod "talk" does not exist', 'the server could not find the requested resource ( pods/log talk)', 'NotFound'],
  [500, 'broken', 'Internal error occurred: broken', 'InternalError'],
];

for (const [code, text, message, reason] of errors) {
  test(`what the agent says about a log becomes a Status: ${code}`, async () => {
    await using world = await start((_request, response) => response.writeHead(code).end(text));
    const answer = await answerTo(world.ask('log'));
    const status = JSON.parse(answer.text) as { message: string; reason: string };
    assert.deepEqual([answer.code, status.message, status.reason], [code, message, reason]);
  });
}

test('an upgrade is passed on without credentials, and bytes go both ways until either side goes', async () => {
  let seen: IncomingMessage | undefined;
  let agentSide: Duplex | undefined;
  const upgrade: Upgrade = (request, socket, head) => {
    seen = request;
    agentSide = socket;
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello ');
    socket.write(head);
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
  };
  await using world = await start(() => {}, upgrade);
  const sent = world.ask('exec?command=x&stdout=true', { ...UPGRADE, 'X-Custom': 'mine', Cookie: 'secret' });
  const [answer, socket, head] = (await once(sent, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  assert.equal(answer.headers.upgrade, 'SPDY/3.1');
  assert.equal(seen?.url, '/exec/default/talk/app?output=1&command=x');
  assert.deepEqual(
    [seen.headers.cookie, seen.headers['x-custom'], seen.headers.authorization],
    [undefined, undefined, undefined],
  );
  let text = head.toString();
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const big = 'x'.repeat(3_000_000);
  socket.write(big);
  await eventually(() => text === `hello ${big}`);
  agentSide?.end('last words');
  await eventually(() => text.endsWith('last words') && socket.readableEnded);
  socket.end();
  await eventually(() => agentSide?.destroyed);
});

test('when the client of an upgraded connection goes, the agent sees it', async () => {
  let isOver = false;
  const upgrade: Upgrade = (_request, socket) => {
    socket.on('error', () => {});
    socket.on('close', () => (isOver = true));
    socket.resume();
    socket.on('end', () => socket.end());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
  };
  await using world = await start(() => {}, upgrade);
  const [, socket] = (await once(world.ask('attach?stdout=true', UPGRADE), 'upgrade')) as [unknown, Duplex];
  socket.destroy();
  await eventually(() => isOver);
});

test('an upgrade that the agent refuses is answered with its words', async () => {
  const headers = { 'X-Accepted-Stream-Protocol-Versions': 'v4.channel.k8s.io' };
  const upgrade: Upgrade = (_request, socket) => {
    const lines = Object.entries({ ...headers, 'Content-Length': '9', Connection: 'close' });
    socket.end(`HTTP/1.1 403 Forbidden\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\nno thanks`);
  };
  await using world = await start(() => {}, upgrade);
  const answer = await answerTo(world.ask('exec?command=x&stdout=true', UPGRADE));
  assert.deepEqual([answer.code, answer.text], [403, 'no thanks']);
  assert.equal(answer.headers['x-accepted-stream-protocol-versions'], 'v4.channel.k8s.io');
});

test('what needs an upgrade and has none is refused, and so is an upgrade of a log', async () => {
  await using world = await start((_request, response) => response.end());
  const message = async (sent: http.ClientRequest) =>
    (JSON.parse((await answerTo(sent)).text) as { message: string }).message;
  assert.equal(await message(world.ask('exec?command=x&stdout=true')), 'Upgrade request required');
  assert.equal(await message(world.ask('log', UPGRADE)), 'logs are not streamed over an upgraded connection');
});

test('a webhook may refuse a connection, and sees what it is for', async () => {
  await using world = await start((_request, response) => void response.end('fine'));
  await using hook = await WebhookServer.start({
    answer: ({ kind }) => ({
      allowed: !JSON.stringify(kind).includes('PodExecOptions'),
      status: { message: 'no shells' },
    }),
  });
  const rules = [{ operations: ['CONNECT' as const], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/*'] }];
  const rest = { sideEffects: 'None' as const, admissionReviewVersions: ['v1'] };
  const webhooks = [{ name: 'no.shells.example.com', clientConfig: hook.clientConfig(), rules, ...rest }];
  const configuration = typed(ValidatingWebhookConfiguration, { metadata: { name: 'no-shells' }, webhooks });
  await world.api.client.create(ValidatingWebhookConfiguration, configuration);
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };
  const [refused] = (await once(world.ask('exec?command=sh&command=-c&stdin=true', upgrade), 'response')) as [
    IncomingMessage,
  ];
  assert.equal(refused.statusCode, 400);
  assert.match(await text(refused), /admission webhook \\"no\.shells\.example\.com\\" denied the request: no shells/);
  const [asked] = hook.questions;
  assert.equal(asked?.operation, 'CONNECT');
  assert.equal(asked?.subResource, 'exec');
  assert.equal(asked?.name, 'talk');
  const options = { kind: 'PodExecOptions', apiVersion: 'v1', stdin: true, command: ['sh', '-c'] };
  assert.deepEqual(asked?.object, options);
  const [log] = (await once(world.ask('log'), 'response')) as [IncomingMessage];
  assert.equal(log.statusCode, 200, 'logs are no connection');
  assert.equal(hook.questions.length, 1);
});
