/** Which objects of a kind a list, a watch or a deletion of many is about. */
import { type FieldSelector, matchesFields, parseFieldSelector, requiredFieldValue } from '#kube/field-selectors.ts';
import type { KubeObject } from '#kube/object.ts';
import { ParseError } from '#kube/parse-error.ts';
import { selectableFields, unselectableField } from '#kube/selectable-fields.ts';
import { matchesLabels, parseLabelSelector, type Selector } from '#kube/selectors.ts';
import { badRequest } from '#kube/status.ts';
import { present, type ServedKind } from '#apiserver/registry.ts';

export interface SelectorOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export type Selects = (object: KubeObject) => boolean;

export interface Selection {
  /** Undefined when everything in the namespace is selected. */
  readonly selects: Selects | undefined;
  /** The one name that an object must have, when there is one. */
  readonly name: string | undefined;
}

/** Both selectors read and checked; 400 in Kubernetes' words for one that cannot be used. */
export function selectionOf(
  served: ServedKind,
  { namespace, name }: { readonly namespace: string | undefined; readonly name: string },
  options: SelectorOptions,
): Selection {
  const labels = options.labelSelector ? parsed(parseLabelSelector(options.labelSelector)) : undefined;
  const fields = options.fieldSelector ? fieldsOf(served, options.fieldSelector) : undefined;
  const onlyName = name || (fields && requiredFieldValue(fields, 'metadata.name'));
  const checks = [...labelCheck(labels), ...fieldCheck(served, fields)];
  if (namespace !== undefined) checks.unshift(({ metadata }) => metadata.namespace === namespace);
  if (name !== '') checks.unshift(({ metadata }) => metadata.name === name);
  return { selects: allOf(checks), name: onlyName || undefined };
}

function allOf(checks: readonly Selects[]): Selects | undefined {
  if (checks.length <= 1) return checks[0];
  return (object) => checks.every((check) => check(object));
}

function labelCheck(selector: Selector | undefined): Selects[] {
  return selector ? [({ metadata }) => matchesLabels(selector, metadata.labels)] : [];
}

function fieldCheck(served: ServedKind, selector: FieldSelector | undefined): Selects[] {
  if (!selector || selector.length === 0) return [];
  return [(object) => matchesFields(selector, selectableFields(served.kind, present(served, object)))];
}

function fieldsOf({ kind }: ServedKind, text: string): FieldSelector {
  const selector = parsed(parseFieldSelector(text));
  const refusal = unselectableField(kind, selector);
  if (refusal) throw badRequest(refusal.message);
  return selector;
}

function parsed<T extends object>(result: T | ParseError): T {
  if (result instanceof ParseError) throw badRequest(result.message);
  return result;
}
