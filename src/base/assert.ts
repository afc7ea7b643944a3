/** Asserts an invariant that only a mistake of ours can break; the control plane crashes on it, loudly. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Tells a broken invariant apart from errors that callers handle. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Makes the compiler prove that a union was handled in full. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
