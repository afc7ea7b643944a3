/**
 * What the schemas of Knative's kinds have in common: status, addresses, printer columns, and fields whose type says
 * more than the CRD's schema does.
 */
import type { PrinterColumn } from '#kube/kind.ts';
import { int64, list, map, object, oneOf, refine, required, type Schema, string } from '#kube/schema.ts';

type Always<T> = Schema<T> & { readonly isRequired: true };

/**
 * A field that readers may count on, because admission or the controllers fill it in, although a client may leave it
 * out: required in the type, not in the schema.
 */
export function supplied<T>(schema: Schema<T>): Always<T> {
  const optional: Schema<T> = { ...schema, isRequired: false };
  return optional as Always<T>;
}

/** An object of which the CRD says nothing: any member is kept; `T` is what Kubernetes has there. */
export function open<T>(doc: string): Schema<T> {
  return { type: 'object', doc, properties: {}, required: [], preserveUnknown: true };
}

/** A text that the CRD leaves free, typed with the values that make sense. */
export function textOf<V extends string>(doc: string): Schema<V> {
  return string(doc) as Schema<V>;
}

/** The CRD fills in an empty name where a client gives none. */
export function nameOf(doc: string): Schema<string> {
  return refine(string(doc), { default: '' });
}

const condition = object({
  type: required(string('What the condition is about.')),
  status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
  severity: oneOf(['', 'Warning', 'Info'], 'How much a False matters; nothing when it makes Ready False.'),
  lastTransitionTime: string('When any other member last changed.'),
  reason: string('One word on why.'),
  message: string('The same for people.'),
});

/** Members that every status has. */
export const commonStatus = {
  observedGeneration: int64('The metadata.generation that the controller last worked on.'),
  conditions: list(condition, 'How things stand, sorted by type.'),
  annotations: map(string(), 'Further facts for tools.'),
};

export const addressSchema = object(
  {
    url: string('Where events and requests from inside go.'),
    name: string('Tells several addresses apart.'),
    CACerts: string('Certificates, in PEM form, that sign the address.'),
    audience: string('For whom a token sent there must be meant.'),
  },
  { doc: 'The address by which other objects reach this one.' },
);

const READY = "?(@.type=='Ready')";

export const readyColumns: readonly PrinterColumn[] = [
  { name: 'Ready', type: 'string', jsonPath: `.status.conditions[${READY}].status` },
  { name: 'Reason', type: 'string', jsonPath: `.status.conditions[${READY}].reason` },
];

export const urlColumn: PrinterColumn = { name: 'URL', type: 'string', jsonPath: '.status.url' };

export const latestRevisionColumns: readonly PrinterColumn[] = [
  { name: 'LatestCreated', type: 'string', jsonPath: '.status.latestCreatedRevisionName' },
  { name: 'LatestReady', type: 'string', jsonPath: '.status.latestReadyRevisionName' },
];

export const SERVING_CATEGORIES = ['all', 'knative', 'serving'] as const;
