/** What the serving controllers are given. */
import type { Caches } from '#client/caches.ts';
import type { Client } from '#client/client.ts';
import type { ControllerEnvironment } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { LiveConfigs } from '#controller/live-configs.ts';

/** Whose credentials may be used to ask a registry. */
export interface ImageCredentials {
  readonly namespace: string;
  /** Name of the service account; its imagePullSecrets count too. Empty for `default`. */
  readonly serviceAccount: string;
  readonly imagePullSecrets: readonly string[];
}

/** Finds the digest that a tag stands for now. */
export interface DigestResolver {
  /** `repository@sha256:…`; rejects with an error whose message says what the registry said. */
  resolve(image: string, credentials: ImageCredentials, signal: AbortSignal): Promise<string>;
}

/** Where requests for a revision without pods go: the activator's pods on a cluster, the gateway at home. */
export interface ActivatorEndpoint {
  readonly ip: string;
  readonly port: number;
}

export interface ServingEnvironment extends ControllerEnvironment {
  readonly client: Client;
  readonly caches: Caches;
  readonly configs: LiveConfigs;
  /** Makes the recorder of one controller. */
  readonly eventsOf: (component: string) => EventRecorder;
  readonly digests: DigestResolver;
  readonly activatorEndpoints: () => readonly ActivatorEndpoint[];
  /** Usually `cluster.local`. */
  readonly clusterDomain: string;
}
