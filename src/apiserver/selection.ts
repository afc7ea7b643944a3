/** Which objects of a kind a list, a watch or a deletion of many is about. */
import type { KubeObject } from '#kube/object.ts';
import { labelsOf } from '#kube/object.ts';
import { badRequest } from '#kube/status.ts';
import type { ServedKind } from '#apiserver/registry.ts';

export interface SelectorOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export type Selects = (object: KubeObject) => boolean;

/** Undefined when everything is selected. */
export function selectionOf(
  served: ServedKind,
  { namespace, name }: { readonly namespace: string | undefined; readonly name: string },
  options: SelectorOptions,
): Selects | undefined {
  const checks: Selects[] = [];
  if (namespace !== undefined) checks.push((object) => object.metadata.namespace === namespace);
  if (name !== '') checks.push((object) => object.metadata.name === name);
  for (const [key, value] of equalities(options.labelSelector))
    checks.push((object) => labelsOf(object)[key] === value);
  for (const [key, value] of equalities(options.fieldSelector)) {
    const read = fieldReader(served, key);
    checks.push((object) => read(object) === value);
  }
  return checks.length === 0 ? undefined : (object) => checks.every((check) => check(object));
}

function equalities(text: string | undefined): [string, string][] {
  const terms = (text ?? '').split(',').filter((term) => term !== '');
  return terms.map((term) => {
    const [key = '', value] = term.split(/==?/);
    if (value === undefined || key.endsWith('!')) throw badRequest(`unable to parse requirement: ${term}`);
    return [key.trim(), value.trim()];
  });
}

function fieldReader({ strategy }: ServedKind, label: string): (object: KubeObject) => string {
  if (label === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (label === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  const read = strategy.fieldLabels?.[label];
  if (read) return read;
  const known = 'only "metadata.name", "metadata.namespace"';
  throw badRequest(
    strategy.fieldLabels ? `field label not supported: ${label}` : `"${label}" is not a known field selector: ${known}`,
  );
}
