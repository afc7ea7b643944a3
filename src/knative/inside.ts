/**
 * Which objects of Knative's release manifests stand for something that runs inside Pinnace. Install guides have people
 * apply them; they are kept as they are written, and start nothing: no second controller, and no webhook that nobody
 * answers. Those of Eventing are kept in the same way, though nothing does their work yet. Pure.
 */
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';

export interface InsidePart {
  readonly name: 'Knative Serving' | 'Kourier' | 'Knative Eventing';
  /** Whether its work is done. */
  readonly isDone: boolean;
}

const SERVING: InsidePart = { name: 'Knative Serving', isDone: true };
const KOURIER: InsidePart = { name: 'Kourier', isDone: true };
const EVENTING: InsidePart = { name: 'Knative Eventing', isDone: false };

/** Deployments, and the Services of the same name or beside them that webhooks are called by, by `NAMESPACE/NAME`. */
const WORKLOADS: ReadonlyMap<string, InsidePart> = new Map([
  ...placed('knative-serving', SERVING, [
    'activator',
    'autoscaler',
    'autoscaler-hpa',
    'controller',
    'domain-mapping',
    'domainmapping-webhook',
    'webhook',
  ]),
  ...placed('knative-serving', KOURIER, ['net-kourier-controller']),
  ...placed('kourier-system', KOURIER, ['3scale-kourier-control', '3scale-kourier-gateway']),
  ...placed('knative-eventing', EVENTING, [
    'eventing-controller',
    'eventing-webhook',
    'imc-controller',
    'imc-dispatcher',
    'inmemorychannel-webhook',
    'job-sink',
    'mt-broker-controller',
    'mt-broker-filter',
    'mt-broker-ingress',
    'pingsource-mt-adapter',
  ]),
]);

/** Jobs of an installation; the names of most end in what was generated. */
const JOBS: readonly (readonly [prefix: string, namespace: string, part: InsidePart])[] = [
  ['default-domain', 'knative-serving', SERVING],
  ['cleanup-serving-', 'knative-serving', SERVING],
  ['storage-version-migration-serving-', 'knative-serving', SERVING],
  ['storage-version-migration-eventing-', 'knative-eventing', EVENTING],
];

const EVENTING_GROUPS: ReadonlySet<string> = new Set([
  'eventing.knative.dev',
  'flows.knative.dev',
  'messaging.knative.dev',
  'sinks.knative.dev',
  'sources.knative.dev',
]);

function placed(namespace: string, part: InsidePart, names: readonly string[]): [string, InsidePart][] {
  return names.map((name) => [`${namespace}/${name}`, part]);
}

/** The part that the object belongs to; undefined for everybody else's objects. Needs `kind` and `metadata`. */
export function insidePart(object: KubeObject): InsidePart | undefined {
  const { namespace = '', name = '' } = object.metadata;
  switch (object.kind) {
    case 'Deployment':
      return WORKLOADS.get(`${namespace}/${name}`);
    case 'Job':
      return jobPart(object);
    case 'MutatingWebhookConfiguration':
    case 'ValidatingWebhookConfiguration':
      return webhookPart(object);
    case 'CustomResourceDefinition':
      return EVENTING_GROUPS.has(name.slice(name.indexOf('.') + 1)) ? EVENTING : undefined;
    default:
      return undefined;
  }
}

function jobPart({ metadata: { namespace, name, generateName = '' } }: KubeObject): InsidePart | undefined {
  const known = name || generateName;
  return JOBS.find(([prefix, where]) => where === namespace && known.startsWith(prefix))?.[2];
}

/** A configuration belongs inside when all that it calls does. */
function webhookPart(configuration: KubeObject): InsidePart | undefined {
  const { webhooks } = configuration as KubeObject & { webhooks?: unknown };
  const parts = Array.isArray(webhooks) ? webhooks.map(calledPart) : [];
  return parts.every((part) => part !== undefined) ? parts[0] : undefined;
}

function calledPart(webhook: unknown): InsidePart | undefined {
  const config = isObject(webhook) ? webhook['clientConfig'] : undefined;
  const service = isObject(config) ? config['service'] : undefined;
  return isObject(service) ? WORKLOADS.get(`${String(service['namespace'])}/${String(service['name'])}`) : undefined;
}

/** Changes the object so that nothing comes of it: no pods, and a Job that is done as soon as it is there. */
export function putToRest(object: KubeObject): void {
  const { spec } = object as KubeObject & { spec?: Record<string, unknown> };
  if (spec === undefined) return;
  if (object.kind === 'Deployment') spec['replicas'] = 0;
  if (object.kind === 'Job') spec['completions'] = 0;
}

/** What whoever writes such an object is told. */
export function insideWarning({ name, isDone }: InsidePart): string {
  return isDone
    ? `Pinnace has ${name} inside: this object is kept, and starts nothing`
    : `Pinnace has no ${name} yet: this object is kept, and starts nothing`;
}
