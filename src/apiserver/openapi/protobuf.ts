/**
 * The OpenAPI v2 document in protobuf, the only form in which kubectl asks for it: when it meets a kind that is not
 * served, and in versions before 1.27 for everything. Field numbers are those of gnostic's `openapi.v2`; free values
 * (extensions, enums) travel as YAML, for which JSON will do.
 *
 * It knows what `swaggerOf` makes; a member that it has no number for is a mistake there or here, and thrown.
 */
import { isObject } from '#base/json.ts';

/** Writes one field with its tag, or each of several. */
type Field = (value: unknown) => Uint8Array;

interface Message {
  /** Field by the member's name in JSON. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Where members that begin with `x-` go; without, there may be none. */
  readonly extensions?: Field;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;

export function swaggerProtobuf(swagger: object): Uint8Array {
  return encode(DOCUMENT, swagger);
}

function encode({ fields, extensions }: Message, value: unknown): Uint8Array {
  if (!isObject(value)) throw new TypeError(`${JSON.stringify(value)} is to be an object`);
  const others = Object.keys(value).filter((member) => !(member in fields) && value[member] !== undefined);
  const unknown = others.find((member) => !extensions || !member.startsWith('x-'));
  if (unknown !== undefined) throw new TypeError(`${unknown} has no number in protobuf`);
  const written = Object.entries(fields).flatMap(([member, field]) =>
    value[member] === undefined ? [] : [field(value[member])],
  );
  const extended = Object.fromEntries(others.map((member) => [member, value[member]]));
  return Buffer.concat([...written, ...(extensions ? [extensions(extended)] : [])]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function tag(at: number, wireType: number): Uint8Array {
  return varint(at * 8 + wireType);
}

function delimited(at: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([tag(at, LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function text(at: number): Field {
  return (value) => delimited(at, Buffer.from(String(value), 'utf8'));
}

function whole(at: number): Field {
  return (value) => Buffer.concat([tag(at, VARINT), varint(Number(value))]);
}

function double(at: number): Field {
  return (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(Number(value));
    return Buffer.concat([tag(at, FIXED_64), bytes]);
  };
}

/** A value of any shape. */
function any(at: number): Field {
  return (value) => delimited(at, text(2)(`${JSON.stringify(value)}\n`));
}

function message(at: number, of: () => Message): Field {
  return (value) => delimited(at, encode(of(), value));
}

/** A message with one field, which is everything that the value says. */
function wrapped(at: number, field: Field): Field {
  return (value) => delimited(at, field(value));
}

/** One value alone counts as a list of it. */
function each(field: Field): Field {
  return (values) => Buffer.concat([values].flat().map(field));
}

/** Members of an object as a list of name and value. */
function named(at: number, value: (at: number) => Field): Field {
  const [name, content] = [text(1), value(2)];
  return (members) =>
    Buffer.concat(
      Object.entries(members as object).map(([key, one]) => delimited(at, Buffer.concat([name(key), content(one)]))),
    );
}

const extensionsAt = (at: number): Field => named(at, any);

const INFO: Message = { fields: { title: text(1), version: text(2), description: text(3) } };

/** `additionalProperties`: a schema, or whether there may be any. */
const restOfProperties: Field = (value) =>
  typeof value === 'boolean' ? whole(2)(value) : message(1, () => SCHEMA)(value);

const SCHEMA: Message = {
  fields: {
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: any(5),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: whole(8),
    minimum: double(9),
    exclusiveMinimum: whole(10),
    maxLength: whole(11),
    minLength: whole(12),
    pattern: text(13),
    maxItems: whole(14),
    minItems: whole(15),
    uniqueItems: whole(16),
    maxProperties: whole(17),
    minProperties: whole(18),
    required: each(text(19)),
    enum: each(any(20)),
    additionalProperties: wrapped(21, restOfProperties),
    type: wrapped(22, each(text(1))),
    items: wrapped(23, each(message(1, () => SCHEMA))),
    allOf: each(message(24, () => SCHEMA)),
    properties: wrapped(
      25,
      named(1, (at) => message(at, () => SCHEMA)),
    ),
  },
  extensions: extensionsAt(31),
};

const BODY_PARAMETER: Message = {
  fields: {
    description: text(1),
    name: text(2),
    in: text(3),
    required: whole(4),
    schema: message(5, () => SCHEMA),
  },
  extensions: extensionsAt(6),
};

const PATH_PARAMETER: Message = {
  fields: {
    required: whole(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(5),
    format: text(6),
    uniqueItems: whole(19),
  },
  extensions: extensionsAt(22),
};

const QUERY_PARAMETER: Message = {
  fields: {
    required: whole(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(6),
    format: text(7),
    uniqueItems: whole(20),
  },
  extensions: extensionsAt(23),
};

/** Each kind of parameter lies in the message that stands for its kind. */
function parameters(at: number): Field {
  const body = message(1, () => BODY_PARAMETER);
  const query = wrapped(
    2,
    message(3, () => QUERY_PARAMETER),
  );
  const path = wrapped(
    2,
    message(4, () => PATH_PARAMETER),
  );
  const places: Readonly<Record<string, Field>> = { body, query, path };
  const parameter: Field = (value) => {
    const place = places[(value as { in: string }).in];
    if (!place) throw new TypeError(`${JSON.stringify(value)} is in no place that is known`);
    return place(value);
  };
  return each(wrapped(at, wrapped(1, parameter)));
}

const RESPONSE: Message = {
  fields: {
    description: text(1),
    schema: wrapped(
      2,
      message(1, () => SCHEMA),
    ),
  },
  extensions: extensionsAt(5),
};

const response = (at: number): Field =>
  wrapped(
    at,
    message(1, () => RESPONSE),
  );

const OPERATION: Message = {
  fields: {
    tags: each(text(1)),
    summary: text(2),
    description: text(3),
    operationId: text(5),
    produces: each(text(6)),
    consumes: each(text(7)),
    parameters: parameters(8),
    responses: wrapped(9, named(1, response)),
    schemes: each(text(10)),
    deprecated: whole(11),
  },
  extensions: extensionsAt(13),
};

const operation = (at: number): Field => message(at, () => OPERATION);

const PATH_ITEM: Message = {
  fields: {
    get: operation(2),
    put: operation(3),
    post: operation(4),
    delete: operation(5),
    options: operation(6),
    head: operation(7),
    patch: operation(8),
    parameters: parameters(9),
  },
  extensions: extensionsAt(10),
};

const API_KEY: Message = {
  fields: { type: text(1), name: text(2), in: text(3), description: text(4) },
  extensions: extensionsAt(5),
};

const DOCUMENT: Message = {
  fields: {
    swagger: text(1),
    info: message(2, () => INFO),
    paths: wrapped(
      8,
      named(2, (at) => message(at, () => PATH_ITEM)),
    ),
    definitions: wrapped(
      9,
      named(1, (at) => message(at, () => SCHEMA)),
    ),
    // None are shared, so there are no names to give.
    parameters: wrapped(10, named(1, any)),
    security: each(
      wrapped(
        12,
        named(1, (at) => wrapped(at, each(text(1)))),
      ),
    ),
    securityDefinitions: wrapped(
      13,
      named(1, (at) =>
        wrapped(
          at,
          message(2, () => API_KEY),
        ),
      ),
    ),
  },
  extensions: extensionsAt(16),
};
