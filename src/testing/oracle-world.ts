/**
 * The whole control plane on a fake clock as the target of recorded cases. Requests go to the API without HTTP, so
 * headers are as recorded.
 */
import type { ApiRequest } from '#client/transport.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import { StatusError } from '#kube/status.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import type { OracleAnswer, OracleRequest } from '#testing/oracle.ts';
import type { OracleTarget } from '#testing/oracle-replay.ts';
import type { ServingWorld } from '#testing/serving-world.ts';

const KINDS: readonly Kind[] = [...knativeKinds, ...builtinKinds];
const PATCHES: Readonly<Record<string, 'merge' | 'json' | 'strategic'>> = {
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/strategic-merge-patch+json': 'strategic',
};

export function worldTarget(world: ServingWorld): OracleTarget {
  const { clock } = world.api;
  return {
    namespace: world.namespace,
    user: 'system:test',
    send: async (request) => send(world, request),
    now: () => clock.now(),
    pass: async (ms) => world.rest(ms),
    async waitFor(check, timeoutMs) {
      const deadline = clock.now() + timeoutMs;
      let holds = false;
      const isOver = async () => {
        holds = await check();
        return holds || clock.now() >= deadline;
      };
      await world.until('the condition', isOver, 2 * timeoutMs);
      return holds;
    },
  };
}

async function send({ api }: ServingWorld, request: OracleRequest): Promise<OracleAnswer> {
  try {
    const body = await api.transport.request(apiRequestOf(request));
    return { status: request.method === 'POST' ? 201 : 200, headers: {}, body };
  } catch (error) {
    if (error instanceof StatusError) return { status: error.code, headers: {}, body: error.status };
    throw error;
  }
}

/** `/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE`, as a request of the client's. */
function apiRequestOf({ method, path, headers = {}, body }: OracleRequest): ApiRequest {
  const url = new URL(path, 'http://x');
  const parts = url.pathname.split('/').slice(1);
  const [group = '', version = ''] = parts[0] === 'api' ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest[1] : undefined;
  const [plural = '', name, subresource] = namespace === undefined ? rest : rest.slice(2);
  const target = { kind: kindOf(group, version, plural), namespace, name, subresource };
  switch (method) {
    case 'GET':
      return { verb: name === undefined ? 'list' : 'get', ...target };
    case 'POST':
      return { verb: 'create', ...target, body };
    case 'PUT':
      return { verb: 'update', ...target, body };
    case 'PATCH':
      return { verb: 'patch', ...target, patchType: PATCHES[headers['content-type'] ?? ''] ?? 'merge', body };
    case 'DELETE': {
      const propagationPolicy = (url.searchParams.get('propagationPolicy') ?? undefined) as 'Orphan' | undefined;
      return { verb: 'delete', ...target, options: { propagationPolicy } };
    }
    default:
      throw new Error(`no such method: ${method}`);
  }
}

function kindOf(group: string, version: string, plural: string): Kind {
  const kind = KINDS.find((one) => one.group === group && one.version === version && one.plural === plural);
  if (!kind) throw new Error(`no such resource: ${apiVersionOf({ group, version })} ${plural}`);
  return kind;
}
