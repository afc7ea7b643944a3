/**
 * Terminals: a master that we read and write (`new tty.ReadStream(fd)`), a slave for the process that wants one.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { bind, check, O_CLOEXEC } from '#sys/libc.ts';

const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const TIOCSWINSZ = 0x5414n;
const TIOCGWINSZ = 0x5413n;
const TIOCGPTN = 0x80045430n;
const TIOCSPTLCK = 0x40045431n;
const TIOCGPTPEER = 0x5441n;

const { ioctl } = bind({ ioctl: { return: 'i32', arguments: ['i32', 'u64', 'buffer'] } });
const { ioctl: ioctlNumber } = bind({ ioctl: { return: 'i32', arguments: ['i32', 'u64', 'u64'] } });

export interface Pty {
  readonly master: number;
  readonly slave: number;
  /** The slave's path, such as /dev/pts/3. */
  readonly name: string;
}

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** Opens a pair, both close-on-exec and nobody's controlling terminal. The caller closes both. */
export function openPty(size?: WindowSize): Pty {
  const flags = constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC;
  const master = openSync('/dev/ptmx', flags);
  try {
    const number = Buffer.alloc(4);
    check(ioctl(master, TIOCSPTLCK, number), 'ioctl', '/dev/ptmx');
    check(ioctl(master, TIOCGPTN, number), 'ioctl', '/dev/ptmx');
    if (size) setWindowSize(master, size);
    const slave = check(ioctlNumber(master, TIOCGPTPEER, BigInt(flags)), 'ioctl', '/dev/ptmx');
    return { master, slave, name: `/dev/pts/${number.readUInt32LE(0)}` };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Changes the size; the foreground processes of the terminal get SIGWINCH. */
export function setWindowSize(fd: number, { rows, columns }: WindowSize): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  check(ioctl(fd, TIOCSWINSZ, size), 'ioctl');
}

export function windowSize(fd: number): WindowSize {
  const size = Buffer.alloc(8);
  check(ioctl(fd, TIOCGWINSZ, size), 'ioctl');
  return { rows: size.readUInt16LE(0), columns: size.readUInt16LE(2) };
}

/** As the kernel has it: four words of flags, the line discipline, 19 control characters. */
const TERMIOS_BYTES = 36;
const INPUT_FLAGS = 0;
const OUTPUT_FLAGS = 4;
const CONTROL_FLAGS = 8;
const LOCAL_FLAGS = 12;
const CONTROL_CHARACTERS = 17;

/** IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON. */
const COOKED_INPUT = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
const OPOST = 0o1;
/** ISIG, ICANON, ECHO, ECHONL, IEXTEN. */
const COOKED_LOCAL = 0o1 | 0o2 | 0o10 | 0o100 | 0o100000;
/** CSIZE and PARENB. */
const FRAMING = 0o60 | 0o400;
const CS8 = 0o60;
const VTIME = 5;
const VMIN = 6;

/** Passes every byte on as it comes, neither echoed nor interpreted: cfmakeraw(3). */
export function makeRaw(fd: number): void {
  const termios = Buffer.alloc(TERMIOS_BYTES);
  check(ioctl(fd, TCGETS, termios), 'ioctl');
  const change = (offset: number, off: number, on = 0) =>
    termios.writeUInt32LE(((termios.readUInt32LE(offset) & ~off) | on) >>> 0, offset);
  change(INPUT_FLAGS, COOKED_INPUT);
  change(OUTPUT_FLAGS, OPOST);
  change(CONTROL_FLAGS, FRAMING, CS8);
  change(LOCAL_FLAGS, COOKED_LOCAL);
  termios[CONTROL_CHARACTERS + VTIME] = 0;
  termios[CONTROL_CHARACTERS + VMIN] = 1;
  check(ioctl(fd, TCSETS, termios), 'ioctl');
}
