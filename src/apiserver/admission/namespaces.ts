/** Namespaces that the platform cannot do without. */
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { forbidden } from '#kube/status.ts';
import type { AdmissionHook } from '#apiserver/admission/chain.ts';

const IMMORTAL = ['default', 'kube-system', 'kube-public'];

export const namespaceProtection: AdmissionHook = {
  resource: 'namespaces',
  mutate({ operation, name = '' }) {
    if (operation !== 'DELETE' || !IMMORTAL.includes(name)) return;
    throw forbidden(Namespace, name, 'this namespace may not be deleted');
  },
};
