import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { boolean, bytes, map, pointer, string } from '#kube/schema.ts';

export const ConfigMap = defineKind({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  doc: 'Configuration that programs read: keys and texts.',
  properties: {
    data: map(string(), 'Texts by key.'),
    binaryData: map(bytes(), 'Bytes in base64 by key.'),
    immutable: pointer(boolean('When true, data and binaryData cannot be changed any more.')),
  },
  hasStatus: false,
});
export type ConfigMap = ObjectOf<typeof ConfigMap>;
