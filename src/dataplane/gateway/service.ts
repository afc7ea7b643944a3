/**
 * What becomes of a request: an answer on the spot (no route, redirect, probe, readiness of the gateway itself), or
 * an exchange with the backend whose turn it is.
 */
import type { Backend } from '#dataplane/gateway/backends.ts';
import { ANSWERS, redirectToHttps, revisionNotFound } from '#dataplane/gateway/errors.ts';
import { Exchange } from '#dataplane/gateway/exchange.ts';
import type { ExchangeContext } from '#dataplane/gateway/exchange-context.ts';
import { NAME } from '#dataplane/gateway/names.ts';
import { answerProbe } from '#dataplane/gateway/probes.ts';
import { describeRequest } from '#dataplane/gateway/request-log.ts';
import { composeRequest, type RulesInput } from '#dataplane/gateway/request-rules.ts';
import { type CompiledPath, type CompiledSplit, HostNames, routeHost, type Router } from '#dataplane/gateway/router.ts';
import type { Downstream, LocalAnswer, RequestReceiver, Service } from '#dataplane/proxy/exchange.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { Slab } from '#dataplane/proxy/slab.ts';
import type { GatewaySettings, Visibility } from '#protocol/routing.ts';

/** Asked by whoever wants to know whether the gateway serves; the name is that of the ingress it stands for. */
const READY_HOST = 'internalkourier';
const READY_PATH = '/ready';
/** Routes that point to routes. */
const MAX_REROUTES = 4;

export interface ServiceOptions {
  readonly router: Router;
  readonly exchange: ExchangeContext;
  readonly slab: Slab;
  readonly settings: () => GatewaySettings;
  readonly isReady: () => boolean;
  /** Where plain requests to redirecting routes are sent; 0: nowhere, they are served. */
  readonly httpsPort: number;
}

interface Match {
  readonly path: CompiledPath;
  readonly split: CompiledSplit;
  readonly backend: Backend | undefined;
}

export class GatewayService implements Service {
  readonly #options: ServiceOptions;
  readonly #hosts = new HostNames();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  onRequest(downstream: Downstream, head: RequestHead): RequestReceiver | undefined {
    const found = this.#route(downstream, head);
    if ('status' in found) {
      downstream.sendLocal(found);
      return undefined;
    }
    return this.#begin(downstream, head, found);
  }

  #route(downstream: Downstream, head: RequestHead): Match | LocalAnswer {
    const { router, httpsPort } = this.#options;
    const { listener } = downstream.peer;
    const seenFrom: Visibility = listener === 'local' ? 'local' : 'external';
    const host = this.#hosts.of(head.host);
    const rule = router.rule(host, seenFrom);
    if (!rule) return this.#withoutRoute(host, head, seenFrom);
    if (rule.redirects && listener === 'http' && rule.visibility === 'external' && httpsPort > 0)
      return redirectToHttps(host, head.path, httpsPort);
    const path = router.path(rule, head);
    const match = path && this.#follow(path, head);
    if (!match) return ANSWERS.noRoute;
    return this.#probe(downstream, head, { match, hash: rule.hash }) ?? match;
  }

  #probe(
    downstream: Downstream,
    head: RequestHead,
    { match, hash }: { match: Match; hash: string },
  ): LocalAnswer | undefined {
    const revision = match.backend?.revision?.info;
    const answer = revision && answerProbe(head, hash);
    const { log } = this.#options.exchange;
    if (!answer || !log.isOn || !this.#options.settings().logProbeRequests) return answer;
    const request = describeRequest(head, downstream.peer);
    const size = answer.body?.length ?? 0;
    log.write({ request, status: answer.status, size, latencyMs: 0, revision, endpoint: undefined });
    return answer;
  }

  #withoutRoute(host: string, head: RequestHead, seenFrom: Visibility): LocalAnswer {
    const asksReadiness = seenFrom === 'local' && host === READY_HOST && head.path === READY_PATH;
    if (!asksReadiness) return ANSWERS.noRoute;
    return this.#options.isReady() ? ANSWERS.ready : ANSWERS.notReady;
  }

  /** The backend whose turn it is; a backend that is a route itself is followed, as cluster-local. */
  #follow(first: CompiledPath, head: RequestHead): Match | undefined {
    const { router } = this.#options;
    let path: CompiledPath | undefined = first;
    for (let hop = 0; path && hop <= MAX_REROUTES; hop += 1) {
      const split = router.split(path);
      if (!split) return undefined;
      const backend = split.backend.current;
      if (!backend?.target.reroute) return { path, split, backend };
      const rule = router.rule(routeHost(path.rewriteHost ?? head.host), 'local');
      const rewriteHost: string | undefined = path.rewriteHost;
      path = rule && router.path(rule, head);
      if (path && path.rewriteHost === undefined && rewriteHost !== undefined) path = { ...path, rewriteHost };
    }
    return undefined;
  }

  #begin(downstream: Downstream, head: RequestHead, { path, split, backend }: Match): RequestReceiver | undefined {
    if (!backend) {
      downstream.sendLocal(missingBackend(split));
      return undefined;
    }
    const { exchange: context, slab } = this.#options;
    // A body ahead of a switch of protocols would leave open where it ends: the request is an ordinary one.
    const upgrade = head.wantsUpgrade && head.framing === 'none';
    const input: RulesInput = {
      peer: downstream.peer,
      path,
      fields: split.fields,
      toRevision: backend.revision !== undefined,
      tagHeaderRouting: this.#options.settings().tagHeaderRouting,
      upgrade,
    };
    const exchange = new Exchange(context, {
      downstream,
      backend: split.backend,
      request: {
        head: composeRequest(slab, head, input),
        isHead: head.isHead,
        body: head.framing,
        wantsUpgrade: upgrade,
      },
      contentLength: head.contentLength,
      wantsTiming: head.fields.find(NAME.timing) >= 0 && head.value(NAME.timing) === 'on',
      logged: context.log.isOn ? describeRequest(head, downstream.peer) : undefined,
    });
    return exchange.start() ? exchange : undefined;
  }
}

/** The table names a target that it does not hold: the revision is gone, or not compiled yet. */
function missingBackend(split: CompiledSplit): LocalAnswer {
  const { revisionName } = split.fields;
  return revisionName === undefined ? ANSWERS.noHealthyUpstream : revisionNotFound(revisionName);
}
