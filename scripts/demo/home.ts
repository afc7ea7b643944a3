/**
 * A state directory that nobody uses: `/var/lib/pinnace-demo`, else the same with a number. A running demo holds it by
 * an abstract socket, which is gone with the process, whatever ends it. What an earlier demo left there (it was told to
 * keep it, or was killed) is left alone.
 */
import { existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { DemoError } from './errors.ts';

const FIRST = '/var/lib/pinnace-demo';
const MAX_HOMES = 20;

export interface Home extends Disposable {
  readonly stateDir: string;
  /** Directories before this one that hold the platform of an earlier demo. */
  readonly earlier: readonly string[];
}

export async function claimHome(): Promise<Home> {
  const earlier: string[] = [];
  for (let number = 1; number <= MAX_HOMES; number += 1) {
    const stateDir = number === 1 ? FIRST : `${FIRST}-${number}`;
    const claim = await hold(`\0${stateDir}`);
    if (claim === undefined) continue;
    if (isUnused(stateDir)) return { stateDir, earlier, [Symbol.dispose]: () => void claim.close() };
    earlier.push(stateDir);
    claim.close();
  }
  throw new DemoError(`${FIRST} and ${MAX_HOMES - 1} more are in use by earlier demos`, {
    cure: `remove those that you do not need: ./bin/pinnace down --purge --state-dir ${FIRST}`,
  });
}

function isUnused(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}

/** Undefined when somebody else holds it. */
function hold(name: string): Promise<net.Server | undefined> {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path: name }, () => resolve(server.unref()));
  });
}
