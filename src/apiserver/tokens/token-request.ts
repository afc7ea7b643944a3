/**
 * POST of `serviceaccounts/NAME/token`: a token for the account, good for a while, for whom it names, and for no longer
 * than the object that it is bound to exists.
 *
 * A pod that asks for the hour that is mounted by default gets a year, as from Kubernetes: programs that read the file
 * only once keep working, and the token says from when on that would show.
 */
import type { Clock } from '#base/clock.ts';
import { type FieldError, invalidField } from '#kube/field-error.ts';
import { TokenRequest } from '#kube/kinds/authentication/token-request.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { type Kind, resourceOf, splitApiVersion } from '#kube/kind.ts';
import { type KubeObject, namespaceOf, nameOf, type ObjectRef } from '#kube/object.ts';
import { badRequest, conflict, invalid, notFound } from '#kube/status.ts';
import { formatTime } from '#kube/time.ts';
import type { Store } from '#store/store.ts';
import { nameOfObject } from '#apiserver/tokens/claims.ts';
import { API_AUDIENCES, type Grant, type ServiceAccountTokens } from '#apiserver/tokens/service-account-tokens.ts';
import { type VirtualKind, virtualKind } from '#apiserver/virtual-kind.ts';

const DEFAULT_SECONDS = 3_600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

/** What pods ask for by default, see `#apiserver/admission/pods.ts`, and what they get. */
const MOUNTED_SECONDS = 3_607;
const EXTENDED_SECONDS = 365 * 24 * 60 * 60;

export interface TokenRequestOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tokens: ServiceAccountTokens;
}

export function tokenRequests(options: TokenRequestOptions): VirtualKind {
  return virtualKind({
    kind: TokenRequest,
    under: { kind: ServiceAccount, subresource: 'token' },
    answer: ({ object }) => answer(options, object),
  });
}

function answer({ store, clock, tokens }: TokenRequestOptions, request: TokenRequest): TokenRequest {
  const { name = '', namespace = '' } = request.metadata;
  const account = find(store, ServiceAccount, { namespace, name });
  const now = clock.now();
  const spec = withDefaults(request.spec);
  const { audiences, expirationSeconds: seconds, boundObjectRef } = spec;
  const errors = expirationErrors(seconds);
  if (errors.length > 0) throw invalid(TokenRequest, '', errors);
  const bound = boundObjectRef ? boundObject(store, account, boundObjectRef) : {};
  const isExtended = bound.pod && seconds === MOUNTED_SECONDS && audiences.every((one) => API_AUDIENCES.includes(one));
  const life = isExtended ? { seconds: EXTENDED_SECONDS, warnAfterSeconds: seconds } : { seconds };
  const token = tokens.issue({ account, audiences, ...life, ...bound });
  return {
    ...request,
    metadata: { name, namespace, creationTimestamp: formatTime(now) },
    spec,
    status: { token, expirationTimestamp: formatTime(now + seconds * 1_000) },
  };
}

type Spec = TokenRequest['spec'];

function withDefaults(spec: Spec): Spec & { expirationSeconds: number } {
  // What was not sent is null.
  const audiences = (spec.audiences as string[] | null) ?? [];
  return {
    ...spec,
    audiences: audiences.length === 0 ? [...API_AUDIENCES] : audiences,
    expirationSeconds: spec.expirationSeconds ?? DEFAULT_SECONDS,
  };
}

function expirationErrors(seconds: number): FieldError[] {
  const refuse = (why: string) => [invalidField('spec.expirationSeconds', seconds, why)];
  if (seconds < MIN_SECONDS) return refuse('may not specify a duration less than 10 minutes');
  return seconds > MAX_SECONDS ? refuse('may not specify a duration larger than 2^32 seconds') : [];
}

type BoundObjectRef = NonNullable<Spec['boundObjectRef']>;

function boundObject(store: Store, account: KubeObject, ref: BoundObjectRef): Pick<Grant, 'pod' | 'secret' | 'node'> {
  const { kind = '', apiVersion = '', name = '', uid = '' } = ref;
  const [group, version] = splitApiVersion(apiVersion);
  const bound = group === '' ? BINDINGS.get(kind) : undefined;
  if (!bound) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  const object = find(store, bound.kind, { namespace: namespaceOf(account), name });
  const grant = bound.grant(object, store, account);
  if (uid !== '' && uid !== object.metadata.uid) throw conflict({ group, plural: kind }, name, otherUid(uid));
  return grant;
}

interface Binding {
  readonly kind: Kind;
  grant(object: KubeObject, store: Store, account: KubeObject): Pick<Grant, 'pod' | 'secret' | 'node'>;
}

const BINDINGS: ReadonlyMap<string, Binding> = new Map([
  ['Pod', { kind: Pod, grant: (object, store, account) => podGrant(object as Pod, store, nameOf(account)) }],
  ['Secret', { kind: Secret, grant: (secret) => ({ secret }) }],
  ['Node', { kind: Node, grant: (node) => ({ node: nameOfObject(node) }) }],
]);

/** A token of a pod also says on which node it is, whether that node is known or not. */
function podGrant(pod: Pod, store: Store, account: string): Pick<Grant, 'pod' | 'node'> {
  const { serviceAccountName, nodeName } = pod.spec;
  if (serviceAccountName !== account) {
    const quoted = JSON.stringify(account);
    throw badRequest(
      `cannot bind token for serviceaccount ${quoted} to pod running with different serviceaccount name.`,
    );
  }
  if (!nodeName) return { pod };
  const node = store.get(resourceOf(Node), { name: nodeName })?.object;
  return { pod, node: { name: nodeName, uid: node?.metadata.uid ?? '' } };
}

function find(store: Store, kind: Kind, { namespace, name }: Required<ObjectRef>): KubeObject {
  const ref = kind.namespaced ? { namespace, name } : { name };
  const entry = store.get(resourceOf(kind), ref);
  if (!entry) throw notFound(kind, name);
  return entry.object;
}

function otherUid(uid: string): string {
  const why = `the UID in the bound object reference (${uid}) does not match the UID in record`;
  return `${why}. The object might have been deleted and then recreated`;
}
