/** What control and the node agent's thread say to each other, beside the API. */
import type { MessagePort } from 'node:worker_threads';
import type { PlatformSettings } from '#protocol/platform.ts';

export interface AgentStart {
  readonly settings: PlatformSettings;
  readonly version: string;
  readonly clusterDomain: string;
  /** The API is at its other end. */
  readonly port: MessagePort;
}

export interface PullCredentials {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly imagePullSecrets: readonly string[];
}

export type AgentRequest =
  | { readonly type: 'resolve'; readonly id: number; readonly image: string; readonly credentials: PullCredentials }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

export type AgentAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'resolved'; readonly id: number; readonly digest: string }
  | { readonly type: 'unresolved'; readonly id: number; readonly message: string };
