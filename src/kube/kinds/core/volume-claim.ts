/** The persistent volume claim that an ephemeral volume carries; the claims themselves are not served. */
import { typedLocalObjectReferenceSchema, typedObjectReferenceSchema } from '#kube/kinds/core/references.ts';
import { volumeResourceRequirementsSchema } from '#kube/kinds/core/resources.ts';
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import { templateMetadataSchema } from '#kube/metadata-schema.ts';
import { documented, embedded, list, object, oneOf, pointer, required, string } from '#kube/schema.ts';

const persistentVolumeClaimSpecSchema = object(
  {
    accessModes: list(
      oneOf(['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']),
      'Ways in which the volume must be mountable.',
    ),
    selector: documented(labelSelectorSchema, 'Which volumes may be bound.'),
    resources: embedded(documented(volumeResourceRequirementsSchema, 'Size that is needed.')),
    volumeName: string('The volume that is bound.'),
    storageClassName: pointer(string('Storage class that is asked for.')),
    volumeMode: pointer(oneOf(['Block', 'Filesystem'], 'A file system or a bare block device.')),
    dataSource: documented(typedLocalObjectReferenceSchema, 'Object that the volume is filled from.'),
    dataSourceRef: documented(typedObjectReferenceSchema, 'Object, of any kind, that the volume is filled from.'),
    volumeAttributesClassName: pointer(string("Class of the volume's attributes.")),
  },
  { name: 'io.k8s.api.core.v1.PersistentVolumeClaimSpec', doc: 'What kind of storage is asked for.' },
);

export const persistentVolumeClaimTemplateSchema = object(
  {
    metadata: embedded(templateMetadataSchema),
    spec: required(documented(persistentVolumeClaimSpecSchema, 'What the claim asks for.')),
  },
  { name: 'io.k8s.api.core.v1.PersistentVolumeClaimTemplate', doc: 'A claim that is made together with the pod.' },
);
