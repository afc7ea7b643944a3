/** What is wanted of a node. */
import { nodeConfigSourceSchema } from '#kube/kinds/core/node-status.ts';
import { boolean, documented, list, object, oneOf, required, set, string, time } from '#kube/schema.ts';

const taintSchema = object(
  {
    key: required(string('Key of the taint.')),
    value: string('Value of the taint.'),
    effect: required(
      oneOf(['NoExecute', 'NoSchedule', 'PreferNoSchedule'], 'What happens to pods that do not tolerate it.'),
    ),
    timeAdded: time('When it was added.'),
  },
  { name: 'io.k8s.api.core.v1.Taint', doc: 'A mark that keeps pods without a matching toleration away.' },
);

export const nodeSpecSchema = object(
  {
    podCIDR: string("Range of the pods' addresses."),
    podCIDRs: set(string(), "Ranges of the pods' addresses, one per family."),
    providerID: string('Identity of the node at its cloud.'),
    unschedulable: boolean('Keeps new pods away.'),
    taints: list(taintSchema, 'Marks that keep pods away.'),
    configSource: documented(nodeConfigSourceSchema, 'No longer used.'),
    externalID: string('No longer filled in.'),
  },
  { name: 'io.k8s.api.core.v1.NodeSpec', doc: 'What is wanted of the node.' },
);
