/** The small endpoints: `/`, `/version`, `/metrics`. */
import { methodNotAllowed } from '#kube/status.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { sendObject, setCommonHeaders } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';

/** The Kubernetes whose API this is. */
const KUBERNETES_MAJOR = '1';
const KUBERNETES_MINOR = '33';

const OWN_PATHS = [
  '/.well-known/openid-configuration',
  '/api',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openid/v1/jwks',
  '/readyz',
  '/version',
];

export function requireGet({ method }: Exchange): void {
  if (method !== 'GET') throw methodNotAllowed();
}

export async function handleRoot(http: HttpApi, exchange: Exchange): Promise<void> {
  requireGet(exchange);
  const versions = http.api.registry
    .list()
    .map(({ kind }) => (kind.group === '' ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`));
  const groups = versions.filter((path) => path.startsWith('/apis/')).map((path) => path.replace(/\/[^/]*$/, ''));
  const paths = [...new Set([...OWN_PATHS, ...versions, ...groups])].sort();
  await sendObject(exchange, { code: 200, body: { paths } });
}

export async function handleVersion(http: HttpApi, exchange: Exchange): Promise<void> {
  requireGet(exchange);
  const body = {
    major: KUBERNETES_MAJOR,
    minor: KUBERNETES_MINOR,
    emulationMajor: KUBERNETES_MAJOR,
    emulationMinor: KUBERNETES_MINOR,
    minCompatibilityMajor: KUBERNETES_MAJOR,
    minCompatibilityMinor: String(Number(KUBERNETES_MINOR) - 1),
    gitVersion: `v${KUBERNETES_MAJOR}.${KUBERNETES_MINOR}.0+pinnace-${http.version}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
  await sendObject(exchange, { code: 200, body });
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

export async function handleMetrics(http: HttpApi, exchange: Exchange): Promise<void> {
  requireGet(exchange);
  const { response } = exchange;
  const others = await http.otherMetrics();
  http.requests.measureProcess();
  response.setHeader('Content-Type', METRICS_TYPE);
  setCommonHeaders(exchange);
  response.end(http.metrics.render() + others);
}
