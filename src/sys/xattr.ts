/**
 * Extended attributes. The `l` calls act on a symbolic link itself; by descriptor, on what is open.
 */
import { constants } from 'node:os';
import { SystemError } from '#sys/errors.ts';
import { bind, check, errno } from '#sys/libc.ts';

const libc = bind({
  lsetxattr: { return: 'i32', arguments: ['string', 'string', 'buffer', 'u64', 'i32'] },
  fsetxattr: { return: 'i32', arguments: ['i32', 'string', 'buffer', 'u64', 'i32'] },
  lgetxattr: { return: 'i32', arguments: ['string', 'string', 'buffer', 'u64'] },
  fgetxattr: { return: 'i32', arguments: ['i32', 'string', 'buffer', 'u64'] },
});

/** The kernel's own limit for one value. */
const MAX_VALUE_BYTES = 65_536;

/** Sets an attribute of `target`: a path, whose last component is not followed, or an open descriptor. */
export function setXattr(target: string | number, name: string, value: Uint8Array): void {
  // An empty view has no address to pass.
  const bytes = value.length > 0 ? value : Buffer.alloc(1);
  const size = BigInt(value.length);
  if (typeof target === 'number') check(libc.fsetxattr(target, name, bytes, size, 0), 'fsetxattr');
  else check(libc.lsetxattr(target, name, bytes, size, 0), 'lsetxattr', target);
}

/** The value; undefined when there is no such attribute or the file system has none at all. */
export function getXattr(target: string | number, name: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(MAX_VALUE_BYTES);
  const size = BigInt(bytes.length);
  const length =
    typeof target === 'number' ? libc.fgetxattr(target, name, bytes, size) : libc.lgetxattr(target, name, bytes, size);
  if (length >= 0) return Buffer.from(bytes.subarray(0, length));
  const { ENODATA, ENOTSUP, EOPNOTSUPP } = constants.errno;
  if ([ENODATA, ENOTSUP, EOPNOTSUPP].includes(errno())) return undefined;
  throw new SystemError(errno(), 'getxattr', typeof target === 'string' ? target : undefined);
}
