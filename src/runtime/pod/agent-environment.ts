/** What the life of pods stands on: everything that the agent's parts are handed. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { ContainerDriver } from '#runtime/drivers/driver.ts';
import type { ImageService } from '#runtime/image/image-service.ts';
import type { CredentialEntry } from '#runtime/image/credentials.ts';
import type { NetworkPool } from '#runtime/network/pool.ts';
import type { ExitWatcher } from '#runtime/pod/exits.ts';
import type { StartTurns } from '#runtime/pod/start-turns.ts';
import type { PodFolders } from '#runtime/pod/record.ts';
import type { Lookup } from '#runtime/pod/environment.ts';
import type { TokenRequest } from '#runtime/volumes/content.ts';
import type { CgroupLayout } from '#sys/cgroup-layout.ts';

/** Look-ups in the namespace of a pod. */
export interface PodLookup extends Lookup {
  pullCredentials(secrets: readonly string[]): Promise<CredentialEntry[]>;
  token(serviceAccount: string, request: TokenRequest): Promise<string>;
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
  readonly events: EventRecorder;
  readonly driver: ContainerDriver;
  readonly startTurns: StartTurns;
  readonly images: Pick<ImageService, 'ensureImage'>;
  readonly network: NetworkPool;
  readonly exits: ExitWatcher;
  readonly lookupIn: (namespace: string) => PodLookup;
  readonly node: NodeFacts;
  readonly podFolders: PodFolders;
  /** `DIR/skeleton`. */
  readonly skeleton: string;
  /** `DIR/pod-logs`. */
  readonly podLogsDir: string;
  readonly cgroups: CgroupLayout;
  /** `pinnace-<instance>`, below the root of every tree. */
  readonly cgroup: string;
  /** Lines of the pods' /etc/resolv.conf. */
  readonly resolvConf: (namespace: string) => string;
}
