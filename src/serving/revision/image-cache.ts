/** Images that a Revision uses, told to whoever wants to have them near. Pure. */
import { clone } from '#base/json.ts';
import { typed } from '#kube/kind.ts';
import { nameOf } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { Image } from '#knative/kinds/image.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { imageCacheName } from '#knative/names.ts';
import { childAnnotations, childLabels } from '#serving/revision/metadata.ts';

/** One per container; `spec.image` is empty where no digest was looked up. */
export function desiredImages(revision: Revision): Image[] {
  const { containerStatuses = [], initContainerStatuses = [] } = revision.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].map(({ name = '', imageDigest = '' }) =>
    typed(Image, {
      metadata: {
        name: imageCacheName(nameOf(revision), name),
        namespace: revision.metadata.namespace,
        labels: childLabels(revision),
        annotations: childAnnotations(revision),
        ownerReferences: [controllerRefTo(revision)],
      },
      spec: {
        image: imageDigest,
        serviceAccountName: revision.spec.serviceAccountName,
        imagePullSecrets: revision.spec.imagePullSecrets && clone(revision.spec.imagePullSecrets),
      },
    }),
  );
}
