/** What the life of pods stands on: everything that the agent's parts are handed. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { PartedEventRecorder } from '#controller/event-recorder.ts';
import type { ContainerDriver } from '#runtime/drivers/driver.ts';
import type { ImageService } from '#runtime/image/image-service.ts';
import type { CredentialEntry } from '#runtime/image/credentials.ts';
import type { NetworkPool } from '#runtime/network/pool.ts';
import type { ExitWatcher } from '#runtime/pod/exits.ts';
import type { Skeletons } from '#runtime/pod/skeleton.ts';
import type { StartTurns } from '#runtime/pod/start-turns.ts';
import type { PodFolders } from '#runtime/pod/record.ts';
import type { Lookup } from '#runtime/pod/environment.ts';
import type { IssuedToken, WantedToken } from '#runtime/volumes/pod-tokens.ts';
import type { CgroupLayout } from '#sys/cgroup-layout.ts';

/** Look-ups in the namespace of a pod. */
export interface PodLookup extends Lookup {
  pullCredentials(secrets: readonly string[]): Promise<CredentialEntry[]>;
  /** For the pod's service account; it ends with the pod. */
  token(pod: Pod, wanted: WantedToken): Promise<IssuedToken>;
}

export interface NodeFacts {
  readonly name: string;
  readonly address: string;
  readonly allocatable: Readonly<Record<string, string>>;
}

export interface AgentEnvironment {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: Client;
  readonly events: PartedEventRecorder;
  readonly driver: ContainerDriver;
  readonly startTurns: StartTurns;
  readonly images: Pick<ImageService, 'ensureImage'>;
  readonly network: NetworkPool;
  readonly exits: ExitWatcher;
  readonly lookupIn: (namespace: string) => PodLookup;
  readonly node: NodeFacts;
  readonly podFolders: PodFolders;
  readonly skeletons: Skeletons;
  /** `DIR/pod-logs`. */
  readonly podLogsDir: string;
  readonly cgroups: CgroupLayout;
  /** `pinnace-<instance>`, below the root of every tree. */
  readonly cgroup: string;
  /** Lines of the pods' /etc/resolv.conf. */
  readonly resolvConf: (namespace: string) => string;
  /** Where containers reach the API, and by which names. */
  readonly apiHost: { readonly address: string; readonly names: readonly string[] };
}
