/** The documented ConfigMaps: text under `_example` and its checksum, by which an edit of it by mistake is noticed. */
import { crc32 } from 'node:zlib';
import { autoscalerSettings } from '#knative/config/examples/autoscaler.ts';
import { featuresSettings } from '#knative/config/examples/features.ts';
import {
  certManagerSettings,
  domainSettings,
  kourierSettings,
  networkSettings,
} from '#knative/config/examples/network.ts';
import {
  leaderElectionSettings,
  loggingSettings,
  observabilitySettings,
  tracingSettings,
} from '#knative/config/examples/operations.ts';
import { defaultsSettings, deploymentSettings, gcSettings } from '#knative/config/examples/revisions.ts';
import { renderExample, type Setting } from '#knative/config/examples/setting.ts';

export const documentedSettings = {
  'config-autoscaler': autoscalerSettings,
  'config-certmanager': certManagerSettings,
  'config-defaults': defaultsSettings,
  'config-deployment': deploymentSettings,
  'config-domain': domainSettings,
  'config-features': featuresSettings,
  'config-gc': gcSettings,
  'config-kourier': kourierSettings,
  'config-leader-election': leaderElectionSettings,
  'config-logging': loggingSettings,
  'config-network': networkSettings,
  'config-observability': observabilitySettings,
  'config-tracing': tracingSettings,
} as const satisfies Record<string, readonly Setting[]>;

export type ConfigMapName = keyof typeof documentedSettings;

export function exampleOf(name: ConfigMapName): string {
  return renderExample(documentedSettings[name]);
}

/** CRC-32 in 8 hex digits; how many line breaks follow one another, and space at the ends, do not matter. */
export function exampleChecksum(example: string): string {
  const normal = example.trim().replaceAll(/(?:\r?\n)+/g, String.raw`\n`);
  return crc32(normal).toString(16).padStart(8, '0');
}
