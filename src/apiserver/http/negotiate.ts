/**
 * What form an answer takes, by the Accept header: JSON, YAML or protobuf, the object itself or a view of it (a table, only
 * the metadata). Two steps as in the real server: first whole media types, whose refusal lists all that there is;
 * then their parameters.
 */
import { failure, StatusError } from '#kube/status.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

export type MediaType = 'json' | 'yaml' | 'protobuf';

export interface View {
  readonly kind: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'APIGroupDiscoveryList';
  readonly version: string;
}

export interface Format {
  readonly mediaType: MediaType;
  readonly view: View | undefined;
}

export const PLAIN_JSON: Format = { mediaType: 'json', view: undefined };

interface Clause {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

export interface Negotiable {
  /** Media types of the first step. */
  readonly produces: readonly string[];
  /** Media types of the second, in order of preference. */
  readonly accepts: readonly string[];
  /** Whether a view may be had here. */
  allows(view: { kind: string; group: string; version: string }): View | undefined;
}

const MEDIA_TYPES: Readonly<Record<string, MediaType>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  [PROTOBUF_TYPE]: 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
};

export function negotiate(accept: string | undefined, negotiable: Negotiable): Format {
  if (accept === undefined || accept.trim() === '') return PLAIN_JSON;
  const clauses = parseAccept(accept);
  if (!clauses.some(({ type }) => type === '*/*' || negotiable.produces.includes(type))) {
    throw notAcceptable(negotiable.produces);
  }
  for (const clause of clauses) {
    const format = formatFor(clause, negotiable);
    if (format) return format;
  }
  throw onlyAccepted(negotiable.accepts);
}

function formatFor({ type, parameters }: Clause, negotiable: Negotiable): Format | undefined {
  const mediaType = MEDIA_TYPES[type];
  if (mediaType === undefined) return undefined;
  if (mediaType === 'protobuf' && !negotiable.accepts.includes(PROTOBUF_TYPE)) return undefined;
  const { as: kind, g: group = '', v: version = '' } = parameters;
  if (kind === undefined) return { mediaType, view: undefined };
  const view = negotiable.allows({ kind, group, version });
  // Their cells are of no type.
  if (mediaType === 'protobuf' && view?.kind === 'Table') return undefined;
  return view && { mediaType, view };
}

/** Clauses in order of preference. */
function parseAccept(accept: string): Clause[] {
  const clauses = accept.split(',').map((text): Clause => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = Object.fromEntries(rest.map((part) => part.split('=').map((one) => one.trim())));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters['q'] ?? 1) };
  });
  return clauses.sort((a, b) => b.quality - a.quality);
}

function notAcceptable(produces: readonly string[]): StatusError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${produces.join(', ')}`;
  return new StatusError(failure({ code: 406, reason: 'NotAcceptable', message, details: {} }));
}

function onlyAccepted(accepts: readonly string[]): StatusError {
  const message = `only the following media types are accepted: ${accepts.join(', ')}`;
  return new StatusError(failure({ code: 406, reason: 'NotAcceptable', message }));
}
