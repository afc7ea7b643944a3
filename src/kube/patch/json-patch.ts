/**
 * JSON patch (RFC 6902) as Kubernetes applies it, which is more lenient than the RFC in a few places that clients
 * may rely on: `replace` of an absent member adds it, `copy` from one gives null, an index may count from the end
 * (`-1`), and a path without its leading slash loses its first part. The document's root can be replaced, not removed.
 *
 * Whatever fails is one and the same 422, without a reason; a patch that is no patch is a 400.
 */
import { clone, deepEqual, getMember, isObject, setMember } from '#base/json.ts';
import { goJsonType } from '#kube/go-text.ts';
import { checkDepth } from '#kube/patch/limits.ts';
import { badRequest, requestTooLarge, StatusError, unprocessable } from '#kube/status.ts';

const MAX_OPERATIONS = 10_000;
/** Bytes that all `copy` operations of a patch may make together. */
const MAX_COPIED_BYTES = 3_145_728;
/** Elements of lists that may move aside for others, or close a gap, in all operations of a patch together. */
const MAX_SHIFTED_ELEMENTS = 20_000_000;

type Container = Record<string, unknown> | unknown[];
type Operation = Record<string, unknown>;

/** Where a path leads: the container that holds the value, and the value's name or index in it. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

/** A new document; the arguments are not changed. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  checkDepth(document, patch);
  const run = new Run(clone(document));
  for (const operation of operations) run.apply(operation);
  return run.document;
}

function readOperations(patch: unknown): Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  for (const entry of patch) if (entry !== null && !isObject(entry)) throw undecodable(entry, 'handlers.jsonPatchOp');
  if (patch.length > MAX_OPERATIONS) {
    const limit = `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`;
    throw requestTooLarge(limit);
  }
  return patch.map((entry: Operation | null) => entry ?? {});
}

function undecodable(value: unknown, type: string): StatusError {
  return badRequest(`error decoding patch: json: cannot unmarshal ${goJsonType(value)} into Go value of type ${type}`);
}

class Run {
  document: unknown;
  #copiedBytes = 0;
  #shiftedElements = 0;

  constructor(document: unknown) {
    this.document = document;
  }

  apply(operation: Operation): void {
    const path = textMember(operation, 'path');
    switch (getMember(operation, 'op')) {
      case 'add':
        return this.#add(this.#place(path), valueOf(operation));
      case 'remove':
        return this.#remove(this.#place(path));
      case 'replace':
        return this.#replace(path, valueOf(operation));
      case 'move':
        return this.#move(textMember(operation, 'from'), path);
      case 'copy':
        return this.#copy(textMember(operation, 'from'), path);
      case 'test':
        return this.#test(path, valueOf(operation));
      default:
        throw unprocessable();
    }
  }

  #replace(path: string, value: unknown): void {
    if (path !== '') return replace(this.#place(path), value);
    if (typeof value !== 'object' || value === null) throw unprocessable();
    this.document = value;
  }

  #move(from: string, path: string): void {
    const source = this.#place(from);
    const value = read(source);
    this.#remove(source);
    this.#add(this.#place(path), value);
  }

  #copy(from: string, path: string): void {
    const value = clone(read(this.#place(from)));
    const target = this.#place(path);
    this.#copiedBytes += JSON.stringify(value)?.length ?? 0;
    if (this.#copiedBytes > MAX_COPIED_BYTES) throw unprocessable();
    this.#add(target, value);
  }

  #test(path: string, expected: unknown): void {
    const actual = path === '' ? this.document : read(this.#place(path));
    if (!deepEqual(actual, expected)) throw unprocessable();
  }

  #add({ container, key }: Place, value: unknown): void {
    if (!Array.isArray(container)) setMember(container, key, value);
    else if (key === '-') container.push(value);
    else {
      const index = indexOf(key, container.length, container.length + 1);
      this.#countShift(container.length - index);
      container.splice(index, 0, value);
    }
  }

  #remove({ container, key }: Place): void {
    if (Array.isArray(container)) {
      const index = indexOf(key, container.length - 1, container.length);
      this.#countShift(container.length - index);
      container.splice(index, 1);
    } else {
      if (!Object.hasOwn(container, key)) throw unprocessable();
      delete container[key];
    }
  }

  #countShift(elements: number): void {
    this.#shiftedElements += elements;
    if (this.#shiftedElements > MAX_SHIFTED_ELEMENTS) throw unprocessable();
  }

  #place(path: string): Place {
    const [, ...parts] = path.split('/').map(unescape);
    const key = parts.pop();
    if (key === undefined) throw unprocessable();
    let container = this.document;
    for (const part of parts) container = isContainer(container) ? read({ container, key: part }) : undefined;
    if (!isContainer(container)) throw unprocessable();
    return { container, key };
  }
}

/** The text of `path` or `from`. */
function textMember(operation: Operation, name: string): string {
  const value = getMember(operation, name);
  if (typeof value !== 'string') throw unprocessable();
  return value;
}

function valueOf(operation: Operation): unknown {
  return clone(getMember(operation, 'value') ?? null);
}

function unescape(part: string): string {
  return part.replace(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~'));
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** The value there; null for a member that is absent. */
function read({ container, key }: Place): unknown {
  if (!Array.isArray(container)) return getMember(container, key) ?? null;
  return container[indexOf(key, container.length - 1, container.length)];
}

function replace({ container, key }: Place, value: unknown): void {
  if (!Array.isArray(container)) setMember(container, key, value);
  else container[indexOf(key, container.length - 1, container.length)] = value;
}

/** An index of at most `last`; negative ones count back from `length`. */
function indexOf(key: string, last: number, length: number): number {
  if (!/^[+-]?[0-9]{1,9}$/.test(key)) throw unprocessable();
  const given = Number(key);
  const index = given < 0 ? given + length : given;
  if (index < 0 || index > last) throw unprocessable();
  return index;
}
