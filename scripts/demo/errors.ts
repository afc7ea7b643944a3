/** A step that failed, in words for whoever watches, with what can be done about it. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
  readonly cure: string | undefined;

  constructor(message: string, options: { cure?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.cure = options.cure;
  }
}
