/**
 * Why a platform cannot start, in words for the user; `cure` says what to do.
 */
import type { ListenerName } from '#protocol/platform.ts';
import { hasCode } from '#sys/errors.ts';
import { portOwner } from '#sys/owner.ts';

export class StartError extends Error {
  override readonly name = 'StartError';
  readonly cure: string | undefined;

  constructor(message: string, options: { cure?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.cure = options.cure;
  }
}

const FLAGS: Readonly<Record<ListenerName, string | undefined>> = {
  api: '--api-port',
  http: '--http-port',
  https: '--https-port',
  local: undefined,
  cluster: undefined,
};

/** Another supervisor of the same state directory runs. */
export function alreadyRunning(root: string, pid: number | undefined): StartError {
  const who = pid === undefined ? '' : ` (its supervisor is process ${pid})`;
  return new StartError(`the platform in ${root} is already running${who}`, { cure: 'stop it with `pinnace down`' });
}

/** Names the port and, if it can be found, the process that has it. */
export function cannotListen(name: ListenerName, where: { address: string; port: number }, cause: unknown): StartError {
  const { address, port } = where;
  const flag = FLAGS[name];
  const otherPort = flag === undefined ? {} : { cure: `choose another port with ${flag}, 0 for any that is free` };
  if (hasCode(cause, 'EADDRINUSE')) {
    const owner = portOwner(port);
    const by = owner ? ` by ${owner.command} (process ${owner.pid})` : '';
    return new StartError(`port ${port} on ${address}, wanted for ${name}, is taken${by}`, { ...otherPort, cause });
  }
  if (hasCode(cause, 'EADDRNOTAVAIL')) {
    const cure = 'choose an address of this machine with --listen';
    return new StartError(`no interface of this machine has the address ${address}`, { cure, cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartError(`cannot listen on ${address}:${port} for ${name}: ${reason}`, { ...otherPort, cause });
}
