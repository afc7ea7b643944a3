/** Which form a container's standard streams have, by what its manifest says. Pure. */
import type { Container } from '#kube/kinds/core/container.ts';

export type StdioForm =
  /** Input is empty. */
  | 'no-input'
  /** Input stays open whoever attaches and leaves (`stdin`). */
  | 'open-input'
  /** Input ends with the first client that is through (`stdin`, `stdinOnce`). */
  | 'ending-input'
  /** One terminal for all three (`tty`). */
  | 'terminal';

export function stdioForm({ stdin, stdinOnce, tty }: Container): StdioForm {
  if (tty) return 'terminal';
  if (!stdin) return 'no-input';
  return stdinOnce ? 'ending-input' : 'open-input';
}

/** Whether a keeper holds something for the container. */
export function isKept(form: StdioForm): boolean {
  return form === 'ending-input' || form === 'terminal';
}
