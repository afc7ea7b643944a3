/**
 * A container's input: a FIFO that clients write to, through us. One without end is held open by the container itself,
 * read-write. One that ends is held open by a keeper, so neither our death nor a client's absence ends it: only the
 * first client does that has sent everything.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { hasKeeper, type KeeperPlace, startKeeper } from '#runtime/drivers/keeper.ts';
import type { StdioForm } from '#runtime/stdio/form.ts';
import { makeFifo } from '#runtime/stdio/output.ts';
import { hasCode } from '#sys/errors.ts';

const FIFO = 'stdin';
/** Where a keeper waits. */
export const KEEPER_FIFO = 'keeper';

/** The container's end, which the caller closes once the container has its copy. */
export async function openContainerInput(form: StdioForm, folder: string, keeper: KeeperPlace): Promise<number> {
  if (form === 'no-input' || form === 'terminal') return openSync('/dev/null', constants.O_RDONLY);
  const file = path.join(folder, FIFO);
  makeFifo(file);
  const both = openSync(file, constants.O_RDWR);
  if (form === 'open-input') return both;
  // While `both` is open neither of these waits for the other.
  const reader = openSync(file, constants.O_RDONLY);
  const writer = openSync(file, constants.O_WRONLY);
  try {
    await startKeeper(keeper, writer, path.join(folder, KEEPER_FIFO));
    return reader;
  } catch (error) {
    closeSync(reader);
    throw error;
  } finally {
    closeSync(both);
    closeSync(writer);
  }
}

/** A client's way in; undefined when the container takes nothing, or nothing more. */
export function openInput(form: StdioForm, folder: string, keeper: KeeperPlace): Writable | undefined {
  if (form === 'ending-input' && !hasKeeper(keeper)) return undefined;
  try {
    const fd = openSync(path.join(folder, FIFO), constants.O_WRONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: false, writable: true });
  } catch (error) {
    // The container has closed its end, or began before containers had inputs.
    if (hasCode(error, 'ENXIO', 'ENOENT')) return undefined;
    throw error;
  }
}
