import { deepEqual } from '#base/json.ts';
import { child, entry, type FieldError, forbiddenField, invalidField, tooLongField } from '#kube/field-error.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { configKeyProblems } from '#kube/names.ts';
import { strategyOf } from '#apiserver/strategy.ts';

/** Keys and values of one ConfigMap or Secret together. */
export const MAX_DATA_BYTES = 1024 * 1024;

const FIXED = 'field is immutable when `immutable` is set';

export const configMapStrategy = strategyOf(ConfigMap, {
  validate: (configMap) => contentErrors(configMap),
  validateUpdate: (configMap, old) => [
    ...immutableErrors(configMap, old, ['data', 'binaryData']),
    ...contentErrors(configMap),
  ],
});

function contentErrors({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors = Object.keys(data).flatMap((key) => {
    const path = entry('data', key);
    const problems = configKeyProblems(key).map((problem) => invalidField(path, key, problem));
    return Object.hasOwn(binaryData, key)
      ? [...problems, invalidField(path, key, 'duplicate of key present in binaryData')]
      : problems;
  });
  const ofBinary = Object.keys(binaryData).flatMap((key) =>
    configKeyProblems(key).map((problem) => invalidField(entry('binaryData', key), key, problem)),
  );
  const size = bytesOf(Object.values(data)) + decodedBytesOf(Object.values(binaryData));
  return [...errors, ...ofBinary, ...(size > MAX_DATA_BYTES ? [tooLongField('[]', MAX_DATA_BYTES)] : [])];
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** The size of what base64 stands for. */
export function decodedBytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.floor((text.replace(/=+$/, '').length * 3) / 4), 0);
}

/** Of an object that was declared immutable neither that nor its content can change any more. */
export function immutableErrors<T extends { immutable?: boolean | undefined }>(
  object: T,
  old: T,
  members: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const changed = members.filter((name) => !deepEqual(object[name] ?? {}, old[name] ?? {}));
  const released = object.immutable === true ? [] : ['immutable'];
  return [...released, ...changed].map((name) => forbiddenField(child('', name), FIXED));
}
