/** The table of messages, read: which fields Kubernetes' protobuf has, for whoever reads or writes it. */
import { KIND_MESSAGES, MESSAGES } from '#apiserver/protobuf/fields.ts';

/** What every document in protobuf begins with. */
export const MAGIC = Buffer.from('k8s\0', 'latin1');

export interface TypeNames {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface Field {
  readonly number: number;
  /** In JSON; empty for one whose own fields stand in the object itself. */
  readonly name: string;
  /** A message, or one of the types that `fields.ts` has no message for. */
  readonly type: string;
  /** Repeated `[]`, a map `{}`, or `?` where absence differs from the zero. */
  readonly mark: '' | '?' | '[]' | '{}';
}

/** Documents that are no objects of a served kind. */
const META_MESSAGES: Readonly<Record<string, string>> = {
  'v1/Status': 'meta.Status',
  'meta.k8s.io/v1/PartialObjectMetadata': 'meta.PartialObjectMetadata',
  'meta.k8s.io/v1beta1/PartialObjectMetadata': 'meta.PartialObjectMetadata',
};

/** The message of a kind, when it has one. */
export function messageOf({ apiVersion, kind }: TypeNames): string | undefined {
  const name = `${apiVersion}/${kind}`;
  return [KIND_MESSAGES, META_MESSAGES].find((table) => Object.hasOwn(table, name))?.[name];
}

const known = new Map<string, readonly Field[]>();

/** In ascending order, as they are written. */
export function fieldsOf(message: string): readonly Field[] {
  const fields = known.get(message) ?? parseMessage(MESSAGES[message] ?? '');
  known.set(message, fields);
  return fields;
}

function parseMessage(text: string): Field[] {
  const fields = text.split(', ').filter((one) => one !== '');
  return fields.map(parseField).sort((a, b) => a.number - b.number);
}

function parseField(text: string): Field {
  const [number = '', name = '', typed = ''] = text.split(' ');
  const [, type = '', mark = ''] = /^([\w.]+)(\?|\[\]|\{\})?$/.exec(typed) ?? [];
  return { number: Number(number), name: name === '+' ? '' : name, type, mark: mark as Field['mark'] };
}
