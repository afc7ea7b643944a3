/** The defaults that recorded answers show in Deployments; test support only, the API server has its own. */
import { isObject } from '#base/json.ts';

type Json = Record<string, unknown>;

const CONTAINER = {
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'Always',
};
const POD = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
};

function fill(target: unknown, defaults: Json): void {
  if (!isObject(target)) return;
  for (const [name, value] of Object.entries(defaults)) target[name] ??= value;
}

function each(list: unknown, change: (element: Json) => void): void {
  if (Array.isArray(list)) for (const element of list) if (isObject(element)) change(element);
}

export function deploymentDefaults(object: Json): void {
  const { spec } = object;
  if (object['kind'] !== 'Deployment' || !isObject(spec)) return;
  fill(spec, { replicas: 1, strategy: {}, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  fillStrategy(spec['strategy']);
  const template = spec['template'];
  const pod = isObject(template) ? template['spec'] : undefined;
  if (!isObject(pod)) return;
  fill(pod, POD);
  each(pod['containers'], (container) => {
    fill(container, CONTAINER);
    each(container['ports'], (port) => fill(port, { protocol: 'TCP' }));
  });
  each(pod['volumes'], (volume) => fill(volume['secret'], { defaultMode: 420 }));
}

function fillStrategy(strategy: unknown): void {
  if (!isObject(strategy)) return;
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] !== 'RollingUpdate') return;
  fill(strategy, { rollingUpdate: {} });
  fill(strategy['rollingUpdate'], { maxUnavailable: '25%', maxSurge: '25%' });
}
