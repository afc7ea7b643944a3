/**
 * Where at the node agent's endpoint a request for logs, exec, attach or port-forward goes, once it is known to make
 * sense: the options are right, the pod has the container. The agent has the kubelet's paths and parameters. Pure.
 */
import { type FieldError, forbiddenField, invalidField, notSupportedField } from '#kube/field-error.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { nameOf, namespaceOf } from '#kube/object.ts';
import { badRequest, invalid } from '#kube/status.ts';
import type { Query } from '#apiserver/http/query.ts';

/** Undefined when the pod is on no node yet: there is no log. Throws a StatusError. */
export function logLocation(pod: Pod, query: Query): string | undefined {
  const options = logOptions(query);
  checkLogOptions(nameOf(pod), options);
  const container = containerOf(pod, query);
  if (!pod.spec.nodeName) return undefined;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== false) parameters.set(name, String(value));
  }
  return pathOf('containerLogs', [namespaceOf(pod), nameOf(pod), container], parameters);
}

/** For `exec`, `attach` and `portforward`. Throws a StatusError. */
export function streamLocation(pod: Pod, subresource: string, query: Query): string {
  const parameters = new URLSearchParams();
  if (subresource === 'portforward') {
    const ports = query.all('ports').map(portNumber);
    checkAssigned(pod);
    if (ports.length > 0) parameters.set('port', ports.join(','));
    return pathOf('portForward', [namespaceOf(pod), nameOf(pod)], parameters);
  }
  for (const [from, to] of STREAMS) if (query.flag(from)) parameters.set(to, '1');
  if (subresource === 'exec') for (const word of query.all('command')) parameters.append('command', word);
  const container = containerOf(pod, query);
  checkAssigned(pod);
  return pathOf(subresource, [namespaceOf(pod), nameOf(pod), container], parameters);
}

/** The API's names and the kubelet's. */
const STREAMS = [
  ['stdin', 'input'],
  ['stdout', 'output'],
  ['stderr', 'error'],
  ['tty', 'tty'],
] as const;

function pathOf(root: string, parts: readonly string[], parameters: URLSearchParams): string {
  const path = [root, ...parts].map(encodeURIComponent).join('/');
  const query = parameters.toString();
  return query === '' ? `/${path}` : `/${path}?${query}`;
}

function portNumber(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function checkAssigned(pod: Pod): void {
  if (!pod.spec.nodeName) throw badRequest(`pod ${nameOf(pod)} does not have a host assigned`);
}

/** The container that is named, or the only one. */
function containerOf(pod: Pod, query: Query): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const names = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
  const wanted = query.get('container') ?? '';
  if (wanted !== '') {
    if (names.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${nameOf(pod)}`);
  }
  const [only, ...others] = containers;
  if (only && others.length === 0) return only.name;
  throw badRequest(`a container name must be specified for pod ${nameOf(pod)}, choose one of: [${names.join(' ')}]`);
}

interface LogOptions {
  readonly follow: boolean | undefined;
  readonly previous: boolean | undefined;
  readonly timestamps: boolean | undefined;
  readonly sinceSeconds: number | undefined;
  readonly sinceTime: string | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly stream: string | undefined;
}

function logOptions(query: Query): LogOptions {
  return {
    follow: query.flag('follow'),
    previous: query.flag('previous'),
    timestamps: query.flag('timestamps'),
    sinceSeconds: query.integer('sinceSeconds'),
    sinceTime: timeOf(query.get('sinceTime')),
    tailLines: query.integer('tailLines'),
    limitBytes: query.integer('limitBytes'),
    stream: query.get('stream') || undefined,
  };
}

const LOG_STREAMS = ['All', 'Stderr', 'Stdout'];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)$/;

function timeOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (TIME.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw badRequest(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse it`);
}

function checkLogOptions(pod: string, { tailLines, limitBytes, sinceSeconds, sinceTime, stream }: LogOptions): void {
  const problems: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    problems.push(invalidField('tailLines', tailLines, 'must be greater than or equal to 0'));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    problems.push(invalidField('limitBytes', limitBytes, 'must be greater than 0'));
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    problems.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    problems.push(invalidField('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  }
  if (stream !== undefined && !LOG_STREAMS.includes(stream)) {
    problems.push(notSupportedField('stream', stream, LOG_STREAMS));
  } else if (stream !== undefined && stream !== 'All' && tailLines !== undefined) {
    problems.push(forbiddenField('', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  if (problems.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, problems);
}
