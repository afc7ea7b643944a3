import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendLocation, type BackendLookup } from '#apiserver/http/backend-location.ts';
import type { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { notFound, StatusError } from '#kube/status.ts';

interface World {
  /** Address by name of the pod; each declares port 8080. */
  readonly pods?: Readonly<Record<string, string>>;
  readonly ports?: Service['spec']['ports'];
  readonly subsets?: Endpoints['subsets'];
}

function lookup({ pods = {}, ports = [{ port: 80 }], subsets }: World): BackendLookup {
  const findPod = (name: string) => {
    if (pods[name] === undefined) return undefined;
    const spec = { containers: [{ name: 'app', ports: name === 'bare' ? [] : [{ containerPort: 8080 }] }] };
    return { metadata: { namespace: 'n', name }, spec, status: { podIP: pods[name] } } as Pod;
  };
  const found = <T>(object: T | undefined, error: Error): T => {
    if (!object) throw error;
    return object;
  };
  return {
    findPod,
    pod: (name) => found(findPod(name), notFound(Pod, name)),
    service: (name) =>
      found(
        name === 'web' ? ({ metadata: { namespace: 'n', name }, spec: { ports } } as Service) : undefined,
        notFound(Service, name),
      ),
    findEndpoints: (name) => (subsets && name === 'web' ? ({ metadata: {}, subsets } as Endpoints) : undefined),
    random: () => 0.5,
  };
}

const address = (ip: string, pod?: string, namespace = 'n') => ({
  ip,
  ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', namespace, name: pod } }),
});
const web: World = {
  pods: { a: '10.0.0.1' },
  subsets: [{ addresses: [address('10.0.0.1', 'a')], ports: [{ port: 8080 }] }],
};

const leads: readonly [name: string, plural: string, id: string, world: World, to: string][] = [
  ['a pod to its first declared port', 'pods', 'a', { pods: { a: '10.0.0.1' } }, 'http://10.0.0.1:8080'],
  ['a pod without ports to port 80', 'pods', 'bare', { pods: { bare: '10.0.0.1' } }, 'http://10.0.0.1:80'],
  ['… and to 443 with https', 'pods', 'https:bare:', { pods: { bare: '10.0.0.1' } }, 'https://10.0.0.1:443'],
  ['a pod to any port', 'pods', 'a:9', { pods: { a: '10.0.0.1' } }, 'http://10.0.0.1:9'],
  ['a service without a port to its nameless one', 'services', 'web', web, 'http://10.0.0.1:8080'],
  ['a service’s port by number', 'services', 'web:80', web, 'http://10.0.0.1:8080'],
  ['scheme, name and port', 'services', 'https:web:80', web, 'https://10.0.0.1:8080'],
  [
    'a service’s port by name',
    'services',
    'web:admin',
    {
      pods: { a: '10.0.0.1' },
      subsets: [{ addresses: [address('10.0.0.1', 'a')], ports: [{ port: 1 }, { name: 'admin', port: 2 }] }],
    },
    'http://10.0.0.1:2',
  ],
  [
    'a subset with addresses, not one without',
    'services',
    'web',
    { pods: { a: '10.0.0.1' }, subsets: [{ ports: [{ port: 1 }] }, ...(web.subsets ?? [])] },
    'http://10.0.0.1:8080',
  ],
];

for (const [name, plural, id, world, to] of leads) {
  test(`leads from ${name}`, () => {
    const location = backendLocation(plural, id, lookup(world));
    assert.equal(`${location.scheme}://${location.address}:${location.port}`, to);
  });
}

const only = (target: ReturnType<typeof address>): World => ({
  pods: { a: '10.0.0.1', here: '127.0.0.1' },
  subsets: [{ addresses: [target], ports: [{ port: 80 }] }],
});
const none = 'no endpoints available for service "web"';

const refuses: readonly [name: string, plural: string, id: string, world: World, code: number, message: string][] = [
  ['a pod that is not there', 'pods', 'b:80', {}, 404, 'pods "b" not found'],
  ['a service that is not there', 'services', 'none', {}, 404, 'services "none" not found'],
  ['too many colons', 'pods', 'http:a:80:1', {}, 400, 'invalid pod request "http:a:80:1"'],
  ['another scheme', 'services', 'ftp:web:80', web, 400, 'invalid service request "ftp:web:80"'],
  ['no name', 'services', ':80', web, 400, 'invalid service request ":80"'],
  ['a pod without an address', 'pods', 'a', { pods: { a: '' } }, 400, 'address not allowed'],
  ['a pod on the loopback', 'pods', 'a', { pods: { a: '127.0.0.1' } }, 400, 'address not allowed'],
  ['a pod at a link-local address', 'pods', 'a', { pods: { a: '169.254.169.254' } }, 400, 'address not allowed'],
  ['a pod at a multicast address', 'pods', 'a', { pods: { a: '224.0.0.1' } }, 400, 'address not allowed'],
  ['a pod at IPv6’s loopback', 'pods', 'a', { pods: { a: '::1' } }, 400, 'address not allowed'],
  ['a port that has no number', 'pods', 'a:x', { pods: { a: '10.0.0.1' } }, 503, 'lookup tcp/x: unknown port'],
  ['a port beyond the last', 'pods', 'a:65536', { pods: { a: '10.0.0.1' } }, 503, 'address 65536: invalid port'],
  ['a port that the service has not', 'services', 'web:81', web, 503, 'no service port 81 found for service "web"'],
  ['a service without endpoints', 'services', 'web', {}, 503, none],
  ['a name that no endpoint’s port has', 'services', 'web:x', web, 503, 'no endpoints available for service "web:x"'],
  ['an address that is no pod’s', 'services', 'web', only(address('10.0.0.1')), 503, none],
  ['an address of a pod elsewhere', 'services', 'web', only(address('10.0.0.1', 'a', 'm')), 503, none],
  ['an address that is not the pod’s own', 'services', 'web', only(address('10.0.0.9', 'a')), 503, none],
  ['a pod’s address on the loopback', 'services', 'web', only(address('127.0.0.1', 'here')), 503, none],
];

for (const [name, plural, id, world, code, message] of refuses) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => backendLocation(plural, id, lookup(world)),
      (error) => error instanceof StatusError && error.status.code === code && error.message.includes(message),
    );
  });
}
