/** Parameters of operations, as OpenAPI v3 describes them. */

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description: string;
  readonly required?: true;
  readonly schema: { readonly type: string; readonly uniqueItems: true };
}

type Type = 'string' | 'integer' | 'boolean';

function query(name: string, type: Type, description: string): Parameter {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

function path(name: string, description: string): Parameter {
  return { name, in: 'path', description, required: true, schema: { type: 'string', uniqueItems: true } };
}

export const namespaceParameter = path('namespace', 'The namespace.');

export function nameParameter(kind: string): Parameter {
  return path('name', `Name of the ${kind}.`);
}

export const prettyParameter = query('pretty', 'string', 'With `true` the answer is laid out for people.');

const dryRun = query('dryRun', 'string', 'With `All` everything is checked and nothing is stored.');
const fieldManager = query('fieldManager', 'string', 'Who the changed fields belong to from now on.');
const fieldValidation = query(
  'fieldValidation',
  'string',
  'What becomes of unknown and repeated fields: Ignore, Warn (the default) or Strict.',
);

export const writeParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];

export const patchParameters: readonly Parameter[] = [
  ...writeParameters,
  query('force', 'boolean', 'An apply takes fields over from other managers.'),
];

export const deleteParameters: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds that the object has to end; 0 ends it at once.'),
  query('orphanDependents', 'boolean', 'The older form of propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
];

const selectors: readonly Parameter[] = [
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
];

const versions: readonly Parameter[] = [
  query('resourceVersion', 'string', 'The version that is wanted, or from which on changes are.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
];

const pages: readonly Parameter[] = [
  query('continue', 'string', 'Token for the rest of an earlier list.'),
  query('limit', 'integer', 'The most objects that are answered at once.'),
];

export const listParameters: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'A watch tells now and then how far it is.'),
  ...pages,
  ...selectors,
  ...versions,
  query('timeoutSeconds', 'integer', 'How long a watch goes on.'),
  query('watch', 'boolean', 'Changes instead of a list, one after the other.'),
];

export const deleteCollectionParameters: readonly Parameter[] = [
  ...deleteParameters,
  ...pages,
  ...selectors,
  ...versions,
];

const container = query('container', 'string', 'The container, where a pod has several.');
const streams: readonly Parameter[] = [
  container,
  query('stderr', 'boolean', 'Pass on standard error.'),
  query('stdin', 'boolean', 'Pass on standard input.'),
  query('stdout', 'boolean', 'Pass on standard output.'),
  query('tty', 'boolean', 'With a terminal.'),
];

/** Of the subresources that the node agent answers. */
export const streamParameters: Readonly<Record<string, readonly Parameter[]>> = {
  attach: streams,
  exec: [query('command', 'string', 'The program and its arguments, one per parameter.'), ...streams],
  log: [
    container,
    query('follow', 'boolean', 'Go on as the log grows.'),
    query('limitBytes', 'integer', 'The most bytes.'),
    query('previous', 'boolean', 'The log of the container before the last restart.'),
    query('sinceSeconds', 'integer', 'How far back, in seconds.'),
    query('sinceTime', 'string', 'How far back, as a time.'),
    query('tailLines', 'integer', 'How many lines from the end.'),
    query('timestamps', 'boolean', 'Every line with its time.'),
  ],
  portforward: [query('ports', 'integer', 'Ports of the pod.')],
};
