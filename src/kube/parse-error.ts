/**
 * A text that is not of its form: a quantity, a duration, a selector. The message is what Kubernetes or Go says.
 * Parsers of this layer answer with a `ParseError` instead of throwing it, so that callers cannot forget it.
 */
export class ParseError extends Error {
  override readonly name = 'ParseError';
}

/** What `parse` answers, or the `ParseError` that it threw. */
export function attempt<T>(parse: () => T): T | ParseError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}
