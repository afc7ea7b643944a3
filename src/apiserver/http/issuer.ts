/** The documents by which others verify tokens of service accounts: those of an issuer of OpenID Connect. */
import { methodNotAllowed } from '#kube/status.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { sendObject } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { ISSUER } from '#apiserver/tokens/claims.ts';
import type { JsonWebKey } from '#apiserver/tokens/signing-key.ts';

const CONFIGURATION_PATH = '/.well-known/openid-configuration';
const KEYS_PATH = '/openid/v1/jwks';

/** How long others may keep them. */
const MAX_AGE_SECONDS = 3_600;

export function isIssuerPath(path: string): boolean {
  return path === CONFIGURATION_PATH || path === KEYS_PATH;
}

export async function handleIssuer({ api }: HttpApi, exchange: Exchange): Promise<void> {
  if (exchange.method !== 'GET') throw methodNotAllowed();
  exchange.response.setHeader('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
  const { jwk } = api.tokens;
  if (exchange.path === KEYS_PATH) {
    const contentType = 'application/jwk-set+json';
    return sendObject(exchange, { code: 200, contentType, body: { keys: [jwk] } });
  }
  await sendObject(exchange, { code: 200, body: configurationOf(jwk) });
}

/** Its address is the one inside the cluster, which is also the issuer's. */
function configurationOf({ alg }: JsonWebKey): object {
  return {
    issuer: ISSUER,
    jwks_uri: `${ISSUER}${KEYS_PATH}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [alg],
  };
}
