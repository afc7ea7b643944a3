import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { boolean, bytes, map, pointer, string } from '#kube/schema.ts';

export const Secret = defineKind({
  apiVersion: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  doc: 'Confidential data: keys and bytes.',
  properties: {
    immutable: pointer(boolean('When true, the data cannot be changed any more.')),
    data: map(bytes(), 'Bytes in base64 by key.'),
    stringData: map(string(), 'Texts by key, for writing only: the server moves them into data.'),
    type: string('What the data is for; Opaque when nothing is said.'),
  },
  hasStatus: false,
});
export type Secret = ObjectOf<typeof Secret>;
