/** The custom kind of the recorded cases about custom resources, in our words for schemas. */
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import {
  any,
  boolean,
  int32,
  int64,
  intOrString,
  list,
  listMap,
  map,
  object,
  refine,
  required,
  set,
  string,
  time,
} from '#kube/schema.ts';

const traffic = object({
  tag: required(string('Name.')),
  percent: refine(int64('Share.'), { default: 0 }),
  latest: boolean('Follows the newest.'),
});

const condition = object({
  type: required(string('Aspect.')),
  status: required(string('Whether it holds.')),
  reason: string('Cause.'),
  message: string('Sentence.'),
});

/** The group has a placeholder, as the recordings do. */
export const Launch = defineKind({
  apiVersion: '{{ns}}.example.com/v1',
  kind: 'Launch',
  plural: 'launches',
  shortNames: ['lch'],
  categories: ['all', 'pinnace'],
  doc: 'A kind for tests.',
  isCustom: true,
  properties: {
    spec: object({
      image: required(string('Image.')),
      replicas: refine(int32('Count.'), { default: 1 }),
      mode: refine(string('Mode.'), { default: 'Auto' }),
      concurrency: refine(int64('Limit.'), { nullable: true }),
      traffic: listMap(traffic, { keys: ['tag'] }, 'Shares.'),
      hosts: set(string(), 'Names.'),
      args: list(string(), 'Arguments.'),
      env: map(string(), 'Variables.'),
      resources: object({ cpu: string('Processors.'), memory: string('Bytes.') }, { atomic: true }),
      port: intOrString('Port.'),
      free: any('Anything.'),
      until: refine(time('End.'), { nullable: false }),
    }),
    status: object({
      replicas: int64('Count.'),
      selector: string('Which.'),
      url: string('Where.'),
      conditions: list(condition, 'Aspects.'),
    }),
  },
});
export type Launch = ObjectOf<typeof Launch>;
