/**
 * A long list as JSON, written piece by piece: other requests are answered between two pieces, encryption and the client
 * work while the next one is made, and no more of the text is kept than the client leaves lying. What is listed is frozen
 * and was read as one snapshot before, so nothing changes on the way. A client that takes nothing for a minute is cut off.
 */
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Clock } from '#base/clock.ts';
import type { KubeObject, ObjectList } from '#kube/object.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { itemText, listHead } from '#apiserver/http/render.ts';
import { COMPRESSION_LEVEL, isPretty, setCommonHeaders, takesGzip } from '#apiserver/http/reply.ts';
import type { ServedKind } from '#apiserver/registry.ts';

/** Shorter ones are sent whole. */
const MIN_ITEMS = 500;
const ITEMS_PER_PIECE = 100;

/** How long a client may take nothing. */
const MAX_STALL_MS = 60_000;

export function isStreamed({ request, format, query, audit, userAgent }: Exchange, items: number): boolean {
  const isPlain = format.view === undefined && format.mediaType === 'json' && !isPretty({ query, userAgent });
  // The audit log may want the text as a whole.
  return items >= MIN_ITEMS && isPlain && audit === undefined && request.method === 'GET';
}

interface StreamedList {
  readonly list: ObjectList<KubeObject>;
  readonly served: ServedKind;
  readonly clock: Clock;
}

export async function streamList(exchange: Exchange, { list, served, clock }: StreamedList): Promise<void> {
  const { request, response } = exchange;
  response.setHeader('Content-Type', 'application/json');
  setCommonHeaders(exchange);
  const isZipped = takesGzip(request.headers['accept-encoding']);
  if (isZipped) response.setHeader('Vary', [response.getHeader('Vary') ?? [], 'Accept-Encoding'].flat().join(', '));
  if (isZipped) response.setHeader('Content-Encoding', 'gzip');
  response.writeHead(200);
  const output = isZipped ? createGzip({ level: COMPRESSION_LEVEL }) : response;
  if (output !== response) output.on('error', () => response.destroy()).pipe(response);
  response.on('close', () => output.destroy());
  for (const piece of pieces(list, served)) {
    if (output.destroyed) return;
    const isTaken = output.write(piece);
    if (isTaken) await nextTurn();
    else await drained(output, response, clock);
  }
  output.end();
}

function* pieces(list: ObjectList<KubeObject>, served: ServedKind): Generator<string> {
  yield listHead(list);
  for (let at = 0; at < list.items.length; at += ITEMS_PER_PIECE) {
    const texts = list.items.slice(at, at + ITEMS_PER_PIECE).map((item) => itemText(served, item));
    yield `${at === 0 ? '' : ','}${texts.join(',')}`;
  }
  yield ']}\n';
}

/** Resolves when others have had their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Resolves when more may be written, or the stream is gone. */
async function drained(output: Writable, response: Writable, clock: Clock): Promise<void> {
  const ready = Promise.withResolvers<void>();
  const resolve = () => ready.resolve();
  output.once('drain', resolve).once('close', resolve);
  using _ = clock.after(MAX_STALL_MS, () => response.destroy(), { unref: true });
  await ready.promise;
  output.off('drain', resolve).off('close', resolve);
}
