/** Joins two connections: what ends on one side ends on the other, and what breaks breaks. */
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One connection, by its two halves; of a Duplex they are the same. */
export interface Halves {
  readonly readable: Readable;
  readonly writable: Writable;
}

/** Resolves when both directions are through. Never throws: both connections are destroyed when either breaks. */
export async function splice(left: Halves, right: Halves): Promise<void> {
  const carry = async (from: Readable, to: Writable) => {
    try {
      await pipeline(from, to);
    } catch {
      for (const half of [left.readable, left.writable, right.readable, right.writable]) half.destroy();
    }
  };
  await Promise.all([carry(left.readable, right.writable), carry(right.readable, left.writable)]);
}

export function halvesOf(connection: Readable & Writable): Halves {
  return { readable: connection, writable: connection };
}
