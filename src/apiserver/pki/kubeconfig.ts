/** The kubeconfig that `up` leaves for clients: one cluster, the administrator's certificate, everything inline. */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Pki } from '#apiserver/pki/pki.ts';

export interface KubeconfigOptions {
  readonly file: string;
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** Name of the context, the cluster and the user. */
  readonly name: string;
  readonly pki: Pki;
}

export function writeKubeconfig({ file, server, name, pki }: KubeconfigOptions): void {
  const data = (pem: string) => Buffer.from(pem).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': data(pki.authorityCertificate) } }],
    users: [
      {
        name,
        user: {
          'client-certificate-data': data(pki.admin.certificate),
          'client-key-data': data(pki.admin.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  };
  writeFileSync(`${file}.new`, stringify(config, { lineWidth: 0 }), { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}
