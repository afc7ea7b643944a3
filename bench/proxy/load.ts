/** A closed loop of keep-alive clients over raw sockets, in a process of its own: `load.ts PORT CLIENTS SECONDS`. */
import net from 'node:net';

const [port = 0, clients = 1, seconds = 1] = process.argv.slice(2).map(Number);

/** What a browser sends, about 500 octets. */
const REQUEST = Buffer.from(
  [
    'GET /api/items?page=2 HTTP/1.1',
    'Host: bench.example.com',
    'Connection: keep-alive',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'Accept-Language: en-GB,en;q=0.9',
    'Accept-Encoding: gzip, deflate, br',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
    'Upgrade-Insecure-Requests: 1',
    '\r\n',
  ].join('\r\n'),
);

const result = { requests: 0, errors: 0 };
let stopped = false;

/** Counts answers by their length, which every answer of one run shares. */
function client(): void {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  let expected = 0;
  let received = 0;
  let head = '';
  socket.on('connect', () => socket.write(REQUEST));
  socket.on('error', () => (result.errors += 1));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (expected === 0) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (!head.startsWith('HTTP/1.1 200')) result.errors += 1;
    }
    if (received < expected) return;
    received -= expected;
    result.requests += 1;
    if (stopped) socket.destroy();
    else socket.write(REQUEST);
  });
}

for (let i = 0; i < clients; i += 1) client();
setTimeout(() => {
  stopped = true;
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}, seconds * 1000);
