/**
 * What stands in a token. Bound tokens have an end, an audience and maybe an object that they end with; those that are
 * kept in a Secret say only whose they are. Names and order are Kubernetes'.
 */
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { serviceAccountUserName } from '#apiserver/user.ts';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const SECRET_ISSUER = 'kubernetes/serviceaccount';

const SECRET_CLAIM = 'kubernetes.io/serviceaccount';

export interface ObjectName {
  readonly name: string;
  /** Empty when it is not known. */
  readonly uid: string;
}

/** Seconds since the epoch. */
interface Life {
  readonly issuedAt: number;
  readonly notBefore: number;
  readonly expiresAt: number;
}

export interface BoundClaims extends Life {
  readonly type: 'bound';
  readonly id: string;
  readonly audiences: readonly string[];
  readonly namespace: string;
  readonly account: ObjectName;
  readonly pod?: ObjectName | undefined;
  readonly secret?: ObjectName | undefined;
  /** The node itself, or where the pod is. */
  readonly node?: ObjectName | undefined;
  /** From when on the use of the token is a sign of a client that does not read it anew. */
  readonly warnAfter?: number | undefined;
}

export interface SecretClaims {
  readonly type: 'secret';
  readonly namespace: string;
  readonly account: ObjectName;
  readonly secretName: string;
}

export type Claims = BoundClaims | SecretClaims;

export function nameOfObject({ metadata: { name = '', uid = '' } }: KubeObject): ObjectName {
  return { name, uid };
}

export function formatBoundClaims(claims: BoundClaims): object {
  const { namespace, node, pod, secret, account, warnAfter } = claims;
  return {
    aud: claims.audiences,
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: ISSUER,
    jti: claims.id,
    'kubernetes.io': {
      namespace,
      ...(node ? { node: formatName(node) } : {}),
      ...(pod ? { pod: formatName(pod) } : {}),
      ...(secret ? { secret: formatName(secret) } : {}),
      serviceaccount: formatName(account),
      ...(warnAfter === undefined ? {} : { warnafter: warnAfter }),
    },
    nbf: claims.notBefore,
    sub: serviceAccountUserName({ namespace, name: account.name }),
  };
}

export function formatSecretClaims({ namespace, account, secretName }: SecretClaims): object {
  return {
    iss: SECRET_ISSUER,
    [`${SECRET_CLAIM}/namespace`]: namespace,
    [`${SECRET_CLAIM}/secret.name`]: secretName,
    [`${SECRET_CLAIM}/service-account.name`]: account.name,
    [`${SECRET_CLAIM}/service-account.uid`]: account.uid,
    sub: serviceAccountUserName({ namespace, name: account.name }),
  };
}

function formatName({ name, uid }: ObjectName): object {
  return uid === '' ? { name } : { name, uid };
}

/** Claims in a form that we issue; undefined for any other, whoever signed it. */
export function parseClaims(payload: Readonly<Record<string, unknown>>): Claims | undefined {
  if (payload['iss'] === ISSUER) return parseBound(payload);
  return payload['iss'] === SECRET_ISSUER ? parseSecret(payload) : undefined;
}

function parseBound(payload: Readonly<Record<string, unknown>>): BoundClaims | undefined {
  const { aud, exp, iat, nbf, jti, 'kubernetes.io': own } = payload;
  if (!isObject(own) || typeof own['namespace'] !== 'string' || typeof jti !== 'string') return undefined;
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number') return undefined;
  const account = parseName(own['serviceaccount']);
  if (!account || !Array.isArray(aud)) return undefined;
  const warnAfter = own['warnafter'];
  return {
    type: 'bound',
    id: jti,
    audiences: aud.map(String),
    issuedAt: iat,
    notBefore: nbf,
    expiresAt: exp,
    namespace: own['namespace'],
    account,
    pod: parseName(own['pod']),
    secret: parseName(own['secret']),
    node: parseName(own['node']),
    warnAfter: typeof warnAfter === 'number' ? warnAfter : undefined,
  };
}

function parseSecret(payload: Readonly<Record<string, unknown>>): SecretClaims | undefined {
  const claim = (name: string) => textOf(payload[`${SECRET_CLAIM}/${name}`]);
  const [namespace, secretName] = [claim('namespace'), claim('secret.name')];
  const account = { name: claim('service-account.name'), uid: claim('service-account.uid') };
  const isWhole = [namespace, secretName, account.name, account.uid].every((text) => text !== '');
  if (!isWhole || payload['sub'] !== serviceAccountUserName({ namespace, name: account.name })) return undefined;
  return { type: 'secret', namespace, account, secretName };
}

function parseName(value: unknown): ObjectName | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string') return undefined;
  return { name: value['name'], uid: textOf(value['uid']) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
