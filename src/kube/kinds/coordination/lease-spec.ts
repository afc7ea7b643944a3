/** Who holds a lease, and until when. */
import { int32, microTime, object, pointer, string } from '#kube/schema.ts';

export const leaseSpecSchema = object(
  {
    holderIdentity: pointer(string('Who holds it.')),
    leaseDurationSeconds: pointer(int32('How long others wait after the last renewal.')),
    acquireTime: microTime('When the holder got it.'),
    renewTime: microTime('When the holder last renewed it.'),
    leaseTransitions: pointer(int32('How often it changed hands.')),
    strategy: pointer(string('How the next holder is chosen, where that is coordinated.')),
    preferredHolder: pointer(string('Who should get it next.')),
  },
  { name: 'io.k8s.api.coordination.v1.LeaseSpec', doc: 'Who holds the lease.' },
);
