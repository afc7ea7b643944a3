/** Requests for resources: each method becomes a verb of the API, each answer takes the form that was asked for. */
import type { KubeObject } from '#kube/object.ts';
import type { Status } from '#kube/status.ts';
import type { Target } from '#apiserver/api.ts';
import { deleteOptions } from '#apiserver/admission/options.ts';
import { awaitRevision } from '#apiserver/await-revision.ts';
import { checkListOptions } from '#apiserver/list-options.ts';
import type { SentBody } from '#apiserver/decode.ts';
import { parseObjectBody, readBody } from '#apiserver/http/body.ts';
import { deleteOptionsOf } from '#apiserver/http/delete-options.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { bodyTypeOf, patchTypeOf, resourceForms } from '#apiserver/http/media-types.ts';
import { negotiate } from '#apiserver/http/negotiate.ts';
import { parsePatch } from '#apiserver/http/patch-body.ts';
import type { ResourcePath } from '#apiserver/http/path.ts';
import { proxyRequest } from '#apiserver/http/proxy.ts';
import { listOptionsOf, writeOptionsOf } from '#apiserver/http/query.ts';
import { renderList, renderObject } from '#apiserver/http/render.ts';
import { sendObject } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { isStreamed, streamList } from '#apiserver/http/stream-list.ts';
import { resolve, type Resolved } from '#apiserver/http/target.ts';
import { streamWatch } from '#apiserver/http/watch-stream.ts';
import { deleteCollection } from '#apiserver/verbs/delete-collection.ts';
import { deleteObject } from '#apiserver/verbs/delete.ts';
import { getObject } from '#apiserver/verbs/get.ts';
import { listObjects } from '#apiserver/verbs/list.ts';
import { patchObject } from '#apiserver/verbs/patch.ts';
import { post } from '#apiserver/verbs/post.ts';
import { updateObject } from '#apiserver/verbs/update.ts';

export async function handleResource(http: HttpApi, exchange: Exchange, path: ResourcePath): Promise<void> {
  const resolved = resolve(http.api.registry, exchange, path);
  const { target, verb, subresource } = resolved;
  if (subresource?.isProxied) return proxyRequest(http, exchange, { target, subresource });
  exchange.format = negotiate(exchange.header('accept'), resourceForms(target.served, verb));
  const call: Call = { http, exchange, target };
  warnOfDeprecation(call);
  if (verb === 'watch') return streamWatch(http, exchange, target);
  if (verb === 'list' || verb === 'deletecollection') return sendList(call, resolved);
  const { object, isNew } = await run(call, resolved);
  const body = renderObject(exchange, object, renderingOf(call));
  await sendObject(exchange, { code: isNew ? 201 : 200, body, kind: target.served.kind });
}

interface Call {
  readonly http: HttpApi;
  readonly exchange: Exchange;
  readonly target: Target;
}

interface Result {
  readonly object: KubeObject | Status;
  readonly isNew?: boolean;
}

async function run(call: Call, { verb }: Resolved): Promise<Result> {
  const { http, exchange, target } = call;
  const { api } = http;
  switch (verb) {
    case 'create': {
      const options = writeOptionsOf(exchange.query, 'CreateOptions');
      const body = await objectBody(call);
      return { object: await post(api, { target, body, options }, exchange), isNew: true };
    }
    case 'update': {
      const options = writeOptionsOf(exchange.query, 'UpdateOptions');
      const body = await objectBody(call);
      return updateObject(api, { target, body, options }, exchange);
    }
    case 'patch': {
      const patchType = patchTypeOf(target.served, exchange.header('content-type'));
      const options = { ...writeOptionsOf(exchange.query, 'PatchOptions'), force: exchange.query.flag('force') };
      const body = parsePatch(await readBody(exchange.request), patchType);
      exchange.audit?.request(body, { isPatch: true });
      return patchObject(api, { target, patchType, body, options }, exchange);
    }
    case 'delete': {
      const options = deleteOptionsOf(exchange, await readBody(exchange.request), target.served);
      exchange.audit?.request(deleteOptions(options));
      return { object: await deleteObject(api, { target, options }, exchange) };
    }
    default:
      await awaitRevision(api, exchange.query.get('resourceVersion'));
      return { object: getObject(api, target) };
  }
}

async function objectBody({ exchange, target }: Call): Promise<SentBody> {
  const type = bodyTypeOf(target.served, exchange.header('content-type'));
  const body = parseObjectBody(await readBody(exchange.request), type, target.served.kind);
  exchange.audit?.request(body.value);
  return body;
}

async function sendList(call: Call, { verb }: Resolved): Promise<void> {
  const { http, exchange, target } = call;
  const list = listOptionsOf(exchange.query);
  checkListOptions({ ...list, sendInitialEvents: exchange.query.flag('sendInitialEvents') });
  if (verb === 'list') await awaitRevision(http.api, list.resourceVersion, list);
  const listed =
    verb === 'list'
      ? listObjects(http.api, target, list)
      : await deleteCollection(
          http.api,
          { target, list, options: deleteOptionsOf(exchange, await readBody(exchange.request), target.served) },
          exchange,
        );
  if (isStreamed(exchange, listed.items.length)) {
    return streamList(exchange, { list: listed, served: target.served, clock: http.api.clock });
  }
  const body = renderList(exchange, listed, renderingOf(call));
  await sendObject(exchange, { code: 200, body, kind: target.served.kind });
}

function renderingOf({ http, target }: Call) {
  return { served: target.served, now: http.api.clock.now() };
}

function warnOfDeprecation({ exchange, target }: Call): void {
  const { resource, kind } = target.served;
  if (resource === 'endpoints') {
    exchange.warn('v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice');
  }
  if (kind.definition?.deprecation !== undefined) exchange.warn(kind.definition.deprecation);
}
