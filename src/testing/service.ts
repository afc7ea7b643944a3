/** Knative Services of the test images, as manifests that kubectl or a client sends. */
import { Service } from '#knative/kinds/service.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import type { TestPlatform } from '#testing/platform.ts';
import { eventually } from '#testing/eventually.ts';

export interface ServiceOptions {
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Of the template. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Merged into the template's spec, and into its container. */
  readonly spec?: object;
  readonly container?: object;
}

export function serviceManifest(name: string, options: ServiceOptions = {}): Service {
  const { image = 'test/app:1', env = {}, annotations = {}, spec = {}, container = {} } = options;
  const variables = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  // Test images are named like Docker Hub's and are never there: the local store has them.
  const defaults = { image, imagePullPolicy: 'IfNotPresent', env: variables };
  const template = { metadata: { annotations }, spec: { ...spec, containers: [{ ...defaults, ...container }] } };
  return typed(Service, { metadata: { namespace: 'default', name }, spec: { template } } as Service);
}

/** Creates the Service and resolves with its URL once it is ready. */
export async function deploy(platform: TestPlatform, name: string, options: ServiceOptions = {}): Promise<string> {
  await platform.client.create(Service, serviceManifest(name, options));
  return untilReady(platform, name);
}

/** The URL once the newest generation is ready. */
export async function untilReady(platform: TestPlatform, name: string): Promise<string> {
  const ready = await eventually(
    async () => {
      const service = await platform.client.get(Service, { namespace: 'default', name });
      const isCurrent = service.status?.observedGeneration === service.metadata.generation;
      const condition = service.status?.conditions?.find(({ type }) => type === 'Ready');
      return isCurrent && condition?.status === 'True' ? service : undefined;
    },
    { timeoutMs: 30_000, what: `Service ${name} is ready` },
  );
  return ready.status?.url ?? '';
}

/** The Service's pods, by name. */
export async function podsOf(platform: TestPlatform, name: string) {
  const { items } = await platform.client.list(Pod, {
    namespace: 'default',
    labelSelector: `serving.knative.dev/service=${name}`,
  });
  return items;
}
