/** How the terminal that a runtime makes for a container comes to us: it sends the master through a Unix socket. */
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { awaitHandOver } from '#sys/handed-descriptor.ts';

const SOCKET = 'console.sock';

export interface Console extends Disposable {
  /** Where the runtime finds the socket. */
  readonly socket: string;
  /** The master, once the runtime has started the container; the caller closes it. */
  takeMaster(): number;
}

/** Listens in `folder` until it is disposed of. */
export function openConsole(folder: string): Console {
  const file = path.join(folder, SOCKET);
  rmSync(file, { force: true });
  // Addresses of Unix sockets are short, paths of pods are not: so the folder is named by a descriptor.
  const directory = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const socket = `/proc/${process.pid}/fd/${directory}/${SOCKET}`;
  const close = () => {
    closeSync(directory);
    rmSync(file, { force: true });
  };
  try {
    const handOver = awaitHandOver(socket);
    return {
      socket,
      takeMaster: () => handOver.take(),
      [Symbol.dispose]: () => {
        handOver[Symbol.dispose]();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}
