/** Which streams a client of exec or attach wants. */
import { badQuery } from '#runtime/kubelet/errors.ts';

export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Never with a terminal, which has one output. */
  readonly stderr: boolean;
  readonly tty: boolean;
}

export function streamOptionsOf(query: URLSearchParams): StreamOptions {
  const isSet = (name: string) => query.get(name) === '1';
  const tty = isSet('tty');
  return { stdin: isSet('input'), stdout: isSet('output'), stderr: isSet('error') && !tty, tty };
}

export function checkStreamOptions({ stdin, stdout, stderr }: StreamOptions): void {
  if (!stdin && !stdout && !stderr) throw badQuery('you must specify at least 1 of stdin, stdout, stderr');
}
