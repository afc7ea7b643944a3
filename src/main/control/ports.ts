/**
 * Writes into `config-network` which ports the gateway got, so that URLs show them: none for 80 and 443. A value that a
 * user has set is left alone; one of ours is known by the annotation that says so.
 */
import type { Client } from '#client/client.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { annotationsOf } from '#kube/object.ts';
import { SYSTEM_NAMESPACE } from '#knative/config/all.ts';

const CONFIG_NETWORK = 'config-network';
const OURS = 'pinnace.dev/external-ports';

export interface ExternalPorts {
  readonly http: number;
  readonly https: number;
}

export async function writeExternalPorts(client: Client, { http, https }: ExternalPorts): Promise<void> {
  const wanted = { 'external-http-port': String(http), 'external-https-port': String(https) };
  const ref = { namespace: SYSTEM_NAMESPACE, name: CONFIG_NETWORK };
  await client.modify(ConfigMap, ref, (configMap) => {
    const written = readWritten(annotationsOf(configMap)[OURS]);
    const isOurs = ([key]: [string, string]) =>
      configMap.data?.[key] === undefined || configMap.data[key] === written[key];
    const changes = Object.fromEntries(Object.entries(wanted).filter(isOurs));
    const data = { ...configMap.data, ...changes };
    const annotations = { ...annotationsOf(configMap), [OURS]: JSON.stringify(wanted) };
    return { ...configMap, metadata: { ...configMap.metadata, annotations }, data };
  });
}

function readWritten(text: string | undefined): Record<string, string> {
  try {
    return JSON.parse(text ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}
