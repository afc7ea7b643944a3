/**
 * JSON values as the object model uses them: compared by content, frozen when shared, cloned before a change.
 */
export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | JsonValue[] | { [key: string]: JsonValue };

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality by content; member order does not matter and members that are undefined count as absent. */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) return Array.isArray(right) && arraysEqual(left, right);
  if (!isObject(left) || !isObject(right)) return false;
  for (const key of Object.keys(left)) if (!deepEqual(left[key], right[key])) return false;
  for (const key of Object.keys(right)) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function arraysEqual(left: unknown[], right: unknown[]): boolean {
  return left.length === right.length && left.every((entry, index) => deepEqual(entry, right[index]));
}

/** A deep copy that anyone may change; members that are undefined are left out. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map((entry: unknown) => clone(entry)) as T;
  if (!isObject(value)) return value;
  // A spread copies the shape at once, which is several times as fast as one member after the other.
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const member = copy[key];
    if (member === undefined) return cloneDefined(value) as T;
    if (typeof member === 'object' && member !== null) setMember(copy, key, clone(member));
  }
  return copy as T;
}

function cloneDefined(value: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key in value) if (value[key] !== undefined) setMember(copy, key, clone(value[key]));
  return copy;
}

/** The object's own member; undefined for what it inherits, such as `constructor`. */
export function getMember(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a member of the object itself, whatever its name: `__proto__` is a name like any other. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/** True when nothing in `value` lies deeper than `limit` levels; it does not recurse itself. */
export function isWithinDepth(value: unknown, limit: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; depth <= limit; depth += 1) {
    if (level.length === 0) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return level.length === 0;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Freezes `value` and everything below it, in place. What is frozen already is taken to be frozen throughout. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key in value) deepFreeze(value[key]);
  return value;
}
