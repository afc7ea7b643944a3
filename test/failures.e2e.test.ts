/**
 * What can go wrong with a Service: each cause is named within seconds, in a condition, an event and a message, and
 * nothing else is disturbed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Revision } from '#knative/kinds/revision.ts';
import { Service } from '#knative/kinds/service.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { eventually } from '#testing/eventually.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, serviceManifest, type ServiceOptions } from '#testing/service.ts';

const real = needs('root', 'runc', 'compiler');
const WITHIN_MS = 15_000;

let platform: TestPlatform;
let neighbour: string;

before(async () => {
  if (real.skip !== undefined) return;
  platform = await TestPlatform.start();
  neighbour = await deploy(platform, 'neighbour');
});

after(async () => {
  await platform?.[Symbol.asyncDispose]();
});

interface Row {
  readonly name: string;
  readonly service: ServiceOptions;
  /** `Type=Status Reason: message` of a condition of the Revision, or of the Service. */
  readonly condition: RegExp;
  /** `Reason: message` of an event of the Revision's pod, or of the Revision. */
  readonly event: RegExp;
}

/** The deadline is ten minutes where nothing is said. */
const impatient = { annotations: { 'serving.knative.dev/progress-deadline': '5s' } };

const rows: readonly Row[] = [
  {
    name: 'registry-is-down',
    service: { image: '127.0.0.1:9/nothing:1' },
    condition:
      /Revision ContainerHealthy=False ContainerMissing: Unable to fetch image "127\.0\.0\.1:9\/nothing:1": failed to resolve image to digest: .*connection refused/,
    event: /Revision InternalError: Unable to fetch image .*connection refused/,
  },
  {
    name: 'image-is-unknown-without-digest',
    service: { image: 'dev.local/nothing:1' },
    condition: /Revision ResourcesAvailable=Unknown (RegistryUnavailable|ImagePullBackOff): .*dev\.local\/nothing:1/,
    event: /Pod Failed: Failed to pull image "dev\.local\/nothing:1": .*no such host/,
  },
  {
    name: 'crashes',
    service: { env: { MODE: 'crash' } },
    condition: /Revision ContainerHealthy=False ExitCode1: Container failed with: boom/,
    event: /Pod BackOff: Back-off restarting failed container user-container in pod/,
  },
  {
    name: 'ends-without-an-error',
    service: { env: { MODE: 'exit' } },
    condition: /Revision ContainerHealthy=False ExitCode0: Container failed with: container exited with no error/,
    event: /Pod BackOff:/,
  },
  {
    name: 'command-is-missing',
    service: { container: { command: ['/nothing'] } },
    condition:
      /Revision ContainerHealthy=False ExitCode128: Container failed with: .*exec: "\/nothing".*no such file or directory/,
    event: /Pod Failed: Error: .*exec: "\/nothing".*no such file or directory/,
  },
  {
    name: 'never-listens',
    service: { env: { MODE: 'deaf' } },
    condition:
      /Revision Ready=Unknown Deploying: Readiness probe failed: .*connection refused \(the container listens on no port\)/,
    event: /Pod Unhealthy: Readiness probe failed: dial tcp [\d.]+:8080: connect: connection refused/,
  },
  {
    name: 'listens-on-another-port',
    service: { env: { MODE: 'otherport' } },
    condition:
      /Revision Ready=Unknown Deploying: Readiness probe failed: .*:8080: .*\(the container listens on port 8081\)/,
    event: /Pod Unhealthy: Readiness probe failed: .*\(the container listens on port 8081\)/,
  },
  {
    name: 'deadline-passes',
    service: { env: { MODE: 'deaf' }, ...impatient },
    condition: /Service ConfigurationsReady=False RevisionFailed: .*has timed out progressing/,
    event: /Pod Unhealthy: Readiness probe failed/,
  },
  {
    name: 'is-never-ready',
    service: { env: { MODE: 'unready' }, container: { readinessProbe: { httpGet: { path: '/' } } } },
    condition: /Revision Ready=Unknown Deploying: Readiness probe failed: HTTP probe failed with statuscode: 503/,
    event: /Pod Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503/,
  },
  {
    name: 'fails-its-liveness-probe',
    service: {
      container: {
        livenessProbe: { httpGet: { path: '/exit?code=7' }, periodSeconds: 1, failureThreshold: 1 },
      },
    },
    condition: /Service Ready=(True|False)/,
    event: /Pod Killing: Container user-container failed liveness probe, will be restarted/,
  },
  {
    name: 'secret-is-missing',
    service: { container: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'nope', key: 'k' } } }] } },
    condition: /Revision ResourcesAvailable=Unknown CreateContainerConfigError: secret "nope" not found/,
    event: /Pod Failed: Error: secret "nope" not found/,
  },
  {
    name: 'does-not-fit',
    service: { container: { resources: { requests: { memory: '4000Gi' } } } },
    condition: /Revision ResourcesAvailable=False Unschedulable: 0\/1 nodes are available: 1 Insufficient memory\./,
    event: /Pod FailedScheduling: 0\/1 nodes are available: 1 Insufficient memory\./,
  },
  {
    name: 'may-not-be-root',
    service: { container: { securityContext: { runAsNonRoot: true, runAsUser: 0 } } },
    condition: /Revision ResourcesAvailable=Unknown CreateContainerConfigError: .*non-root/,
    event: /Pod Failed: Error: .*non-root/,
  },
];

for (const { name, service, condition, event } of rows) {
  test(name.replaceAll('-', ' '), real, async () => {
    await platform.client.create(Service, serviceManifest(name, service));
    await untilSaid(name, condition, () => conditionsOf(name));
    await untilSaid(name, event, () => eventsOf(name));
    assert.equal((await platform.get(neighbour)).status, 200, 'others are not disturbed');
    await platform.client.delete(Service, { namespace: 'default', name });
  });
}

async function untilSaid(name: string, wanted: RegExp, look: () => Promise<string[]>): Promise<void> {
  let said: string[] = [];
  const isSaid = async () => {
    said = await look();
    return said.some((line) => wanted.test(line));
  };
  await eventually(isSaid, { timeoutMs: WITHIN_MS, intervalMs: 50 }).catch(() =>
    assert.fail(`${name}: nothing matches ${wanted} in\n${said.join('\n')}`),
  );
}

async function conditionsOf(service: string): Promise<string[]> {
  const objects = [
    await platform.client.find(Revision, { namespace: 'default', name: `${service}-00001` }),
    await platform.client.find(Service, { namespace: 'default', name: service }),
  ];
  return objects.flatMap((object) =>
    (object?.status?.conditions ?? []).map(
      ({ type, status, reason = '', message = '' }) => `${object?.kind} ${type}=${status} ${reason}: ${message}`,
    ),
  );
}

async function eventsOf(service: string): Promise<string[]> {
  const { items } = await platform.client.list(Event, { namespace: 'default' });
  return items
    .filter(({ involvedObject }) => involvedObject.name?.startsWith(service))
    .map(({ involvedObject, reason, message }) => `${involvedObject.kind} ${reason}: ${message}`);
}
