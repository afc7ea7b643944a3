/** config-certmanager: which issuer of cert-manager signs which certificates; of use on a cluster only. */
import type { ConfigData } from '#knative/config/read.ts';
import { asMapping, asText, readYaml } from '#knative/config/yaml.ts';

export interface IssuerRef {
  readonly kind: string;
  readonly name: string;
  readonly group: string;
}

export interface CertManagerConfig {
  readonly issuerRef: IssuerRef;
  readonly clusterLocalIssuerRef: IssuerRef;
  readonly systemInternalIssuerRef: IssuerRef;
}

const DEFAULT: IssuerRef = { kind: 'ClusterIssuer', name: 'knative-selfsigned-issuer', group: '' };

export function parseCertManagerConfig(data: ConfigData): CertManagerConfig {
  return {
    issuerRef: readIssuer(data['issuerRef']),
    clusterLocalIssuerRef: readIssuer(data['clusterLocalIssuerRef']),
    systemInternalIssuerRef: readIssuer(data['systemInternalIssuerRef']),
  };
}

/** Members that the text leaves out keep their default. */
function readIssuer(text: string | undefined): IssuerRef {
  if (text === undefined) return DEFAULT;
  const settings = asMapping(readYaml(text), 'v1.ObjectReference');
  const member = (name: keyof IssuerRef) =>
    settings[name] === undefined ? DEFAULT[name] : asText(settings[name], `ObjectReference.${name}`);
  return { kind: member('kind'), name: member('name'), group: member('group') };
}
