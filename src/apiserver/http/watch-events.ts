/**
 * Events of a watch as they are sent: a line of JSON, or a frame of protobuf. One event goes to many watchers, and is
 * encoded once for all of them.
 */
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import type { Status } from '#kube/status.ts';
import type { MediaType } from '#apiserver/http/negotiate.ts';
import { encodeProtobuf, encodeWatchFrame } from '#apiserver/protobuf/encode.ts';

type Encoded = string | Buffer;
type Cache = WeakMap<KubeObject, { readonly type: string; readonly encoded: Encoded }>;

/** By object: it is frozen, so that what was encoded once stays true. */
const encodings: Readonly<Record<'json' | 'protobuf', Cache>> = { json: new WeakMap(), protobuf: new WeakMap() };

/** An event of a stored object, whole. */
export function encodeEvent(event: WatchEvent<KubeObject>, mediaType: MediaType): Encoded {
  const cache = encodings[mediaType === 'protobuf' ? 'protobuf' : 'json'];
  const known = cache.get(event.object);
  if (known?.type === event.type) return known.encoded;
  const encoded = encodeAny(event, mediaType);
  cache.set(event.object, { type: event.type, encoded });
  return encoded;
}

/** An event of something made for one watcher: a table, metadata alone. */
export function encodeAny({ type, object }: { type: string; object: object }, mediaType: MediaType): Encoded {
  if (mediaType !== 'protobuf') return `{"type":"${type}","object":${JSON.stringify(object)}}\n`;
  return encodeWatchFrame(type, encodeProtobuf(object as KubeObject));
}

export function encodeError(status: Status, mediaType: MediaType): Encoded {
  return encodeAny({ type: 'ERROR', object: status }, mediaType);
}

export function encodeBookmark(kind: Kind, revision: number, mediaType: MediaType): Encoded {
  const metadata = { resourceVersion: String(revision), creationTimestamp: null };
  return encodeAny(
    { type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } },
    mediaType,
  );
}
