/** The API server over real HTTPS on a free port, with the default roles, with certificates of its own, in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { type Logger, silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { ApiServer, type ApiServerOptions } from '#apiserver/api-server.ts';
import { ApiHttpServer, type HttpServerOptions } from '#apiserver/http/server.ts';
import { InProcessTransport } from '#apiserver/in-process.ts';
import { writeKubeconfig } from '#apiserver/pki/kubeconfig.ts';
import { Pki } from '#apiserver/pki/pki.ts';
import { systemUser } from '#apiserver/user.ts';
import { Client } from '#client/client.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import type { StoreLog } from '#store/log.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { Store } from '#store/store.ts';
import { bootstrapRoles } from '#workloads/rbac/bootstrap.ts';

export interface HttpsApiOptions extends Partial<Omit<ApiServerOptions, 'store'>> {
  readonly kinds: ApiServerOptions['kinds'];
  readonly http?: Partial<Omit<HttpServerOptions, 'api'>>;
  readonly log?: StoreLog;
  /** Events that the store remembers. */
  readonly historyLimit?: number;
  readonly logger?: Logger;
  /** Where certificates and the kubeconfig go; a temporary directory that is removed at the end when absent. */
  readonly directory?: string;
  readonly port?: number;
}

export interface HttpsApi extends AsyncDisposable {
  readonly api: ApiServer;
  readonly store: Store;
  readonly pki: Pki;
  readonly port: number;
  readonly url: string;
  readonly kubeconfig: string;
  readonly metrics: MetricRegistry;
  /** In process, as one of the platform's own controllers. */
  readonly client: Client;
}

export async function startHttpsApi(options: HttpsApiOptions): Promise<HttpsApi> {
  const { http = {}, log = new MemoryLog(), logger = silentLogger, directory: given, historyLimit, ...rest } = options;
  const directory = given ?? mkdtempSync(path.join(tmpdir(), 'https-api-'));
  // Certificates are checked by OpenSSL, whose time is the real one.
  const clock = options.clock ?? systemClock;
  const store = await Store.open({ log, clock, logger, ...(historyLimit === undefined ? {} : { historyLimit }) });
  const metrics = new MetricRegistry();
  const api = new ApiServer({ ...rest, store, clock, logger, metrics });
  const pki = new Pki({ directory: path.join(directory, 'pki'), clock: systemClock, serverNames: [] });
  const server = await ApiHttpServer.start({
    api,
    listen: [{ host: '127.0.0.1', port: options.port ?? 0 }],
    certificate: pki.server,
    clientAuthority: pki.authorityCertificate,
    logger,
    version: '0.0.0-test',
    metrics,
    ...http,
  });
  const url = `https://127.0.0.1:${server.port}`;
  const kubeconfig = path.join(directory, 'kubeconfig');
  writeKubeconfig({ file: kubeconfig, server: url, name: 'test', pki });
  const client = new Client(new InProcessTransport(api, { user: systemUser('test'), userAgent: 'test' }));
  if (options.kinds.includes(ClusterRole)) await bootstrapRoles(client, '0.0.0-test');
  return {
    api,
    store,
    pki,
    port: server.port,
    url,
    kubeconfig,
    metrics,
    client,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      api[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
      if (given === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
