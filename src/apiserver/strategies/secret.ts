import { deepEqual } from '#base/json.ts';
import { entry, type FieldError, invalidField, requiredField, tooLongField } from '#kube/field-error.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { configKeyProblems } from '#kube/names.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';
import { decodedBytesOf, immutableErrors, MAX_DATA_BYTES } from '#apiserver/strategies/config-map.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const OPAQUE = 'Opaque';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
/** What stands in an error in place of a secret. */
const REDACTED = '<secret contents redacted>';

/** Keys that a type needs. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

/** Keys of which a type needs one at least. */
const NEEDS_ONE: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/basic-auth': ['username', 'password'],
};

/** Keys that hold JSON. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  'kubernetes.io/dockercfg': '.dockercfg',
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
};

export const secretStrategy = strategyOf(Secret, {
  setDefaults(secret) {
    secret.type ??= OPAQUE;
    if (!secret.stringData) return;
    const texts = Object.entries(secret.stringData);
    const encoded = texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    secret.data = { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
    delete secret.stringData;
  },
  validate: (secret) => contentErrors(secret),
  prepareForUpdate(secret, old) {
    // An update that says nothing of the type keeps it.
    if (!secret.type && old.type) secret.type = old.type;
  },
  validateUpdate: (secret, old) => [
    ...(deepEqual(secret.type, old.type) ? [] : [invalidField('type', secret.type, IMMUTABLE)]),
    ...immutableErrors(secret, old, ['data']),
    ...contentErrors(secret),
  ],
});

function contentErrors(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const keys = Object.keys(data).flatMap((key) =>
    configKeyProblems(key).map((problem) => invalidField(entry('data', key), key, problem)),
  );
  const isTooLong = decodedBytesOf(Object.values(data)) > MAX_DATA_BYTES;
  return [...keys, ...(isTooLong ? [tooLongField('data', MAX_DATA_BYTES)] : []), ...typeErrors(secret, data)];
}

function typeErrors({ type = OPAQUE, metadata }: Secret, data: Readonly<Record<string, string>>): FieldError[] {
  const missing = (keys: readonly string[] = []) => keys.filter((key) => !Object.hasOwn(data, key));
  const oneOf = NEEDS_ONE[type] ?? [];
  const absent = missing(NEEDS[type]);
  if (oneOf.length > 0 && missing(oneOf).length === oneOf.length) absent.push(...oneOf);
  const errors = absent.map((key) => requiredField(entry('data', key)));
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[ACCOUNT_NAME]) {
    errors.push(requiredField(entry('metadata.annotations', ACCOUNT_NAME)));
  }
  return [...errors, ...documentErrors(DOCUMENTS[type], data)];
}

function documentErrors(key: string | undefined, data: Readonly<Record<string, string>>): FieldError[] {
  if (key === undefined) return [];
  const encoded = data[key];
  if (encoded === undefined) return [requiredField(entry('data', key))];
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  try {
    JSON.parse(text);
    return [];
  } catch {
    return [invalidField(entry('data', key), REDACTED, jsonSyntaxError(text))];
  }
}
