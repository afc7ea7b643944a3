/**
 * Secrets of type `kubernetes.io/service-account-token`, the older way to a token: one that names an account is given
 * its token, the authority and the namespace; one whose account is gone goes too, and an account no longer lists a
 * Secret that is gone.
 */
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import {
  type KubeObject,
  nameOf,
  namespaceOf,
  type ObjectKey,
  refOfKey,
  type Stored,
  keyOf,
  uidOf,
} from '#kube/object.ts';
import { isConflict, isNotFound } from '#kube/status.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';
import { accountNameOf, filledSecret, holdsToken, isOf } from '#workloads/service-account/plan.ts';

/** Who signs. */
export interface TokenIssuer {
  issueForSecret(account: KubeObject, secret: KubeObject): string;
}

export interface TokenControllerOptions extends WorkloadEnvironment {
  /** The API server's certificate authority, in PEM. */
  readonly rootCa: string;
  readonly tokens: TokenIssuer;
}

export function createTokenController(options: TokenControllerOptions): Controller {
  const secrets = options.caches.of(Secret);
  const secretsOf = ({ object }: { object: Stored<ServiceAccount> }) =>
    secrets
      .list(namespaceOf(object))
      .filter((secret) => holdsToken(secret) && accountNameOf(secret) === nameOf(object))
      .map(keyOf);
  return new Controller({
    ...options,
    name: 'serviceaccount-tokens',
    sources: [
      watching(secrets, ({ object }) => (holdsToken(object) ? [keyOf(object)] : [])),
      watching(options.caches.of(ServiceAccount), secretsOf),
    ],
    reconcile: (key) => reconcile(options, key),
  });
}

async function reconcile(options: TokenControllerOptions, key: ObjectKey): Promise<Outcome> {
  const { caches, client, rootCa, tokens } = options;
  const secret = caches.of(Secret).byKey(key);
  if (!secret) return forget(options, key);
  if (!holdsToken(secret)) return;
  const ref = { namespace: namespaceOf(secret), name: accountNameOf(secret) };
  const account = caches.of(ServiceAccount).get(ref) ?? (await client.find(ServiceAccount, ref));
  if (!account || !isOf(secret, account)) return remove(options, secret);
  const issue = () => tokens.issueForSecret(account, secret);
  const filled = filledSecret(secret, account, { rootCa, issue });
  if (filled) await unlessChanged(client.update(Secret, filled));
}

async function remove({ client }: TokenControllerOptions, secret: Stored<Secret>): Promise<void> {
  const ref = { namespace: namespaceOf(secret), name: nameOf(secret) };
  await unlessChanged(client.delete(Secret, ref, { preconditions: { uid: uidOf(secret) } }));
}

/** No account lists a Secret that held a token and is gone. */
async function forget({ caches, client }: TokenControllerOptions, key: ObjectKey): Promise<void> {
  const { namespace, name } = refOfKey(key);
  const isOther = (reference: { name?: string | undefined }) => reference.name !== name;
  for (const account of caches.of(ServiceAccount).list(namespace)) {
    if ((account.secrets ?? []).every(isOther)) continue;
    const without = (current: Stored<ServiceAccount>) => ({
      ...current,
      secrets: (current.secrets ?? []).filter(isOther),
    });
    await unlessChanged(client.modify(ServiceAccount, { namespace, name: nameOf(account) }, without));
  }
}

/** Somebody else was quicker: what became of it is another change. */
async function unlessChanged(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}
