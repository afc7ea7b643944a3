/**
 * A netlink socket: asks the kernel and reads its answer, synchronously. The kernel answers within the call, so the
 * wait is its work alone; a limit guards against an answer that never comes.
 *
 * A socket belongs to the network namespace in which it was opened, wherever its thread goes later.
 */
import { constants } from 'node:os';
import { SystemError } from '#sys/errors.ts';
import { bind, check, closeDescriptor, errno } from '#sys/libc.ts';
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  HEADER_BYTES,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  type NetlinkMessage,
  textOf,
} from '#sys/netlink/message.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

const RECEIVE_BYTES = 65_536;
const ANSWER_TIMEOUT_SECONDS = 10n;

const libc = bind({
  socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
  setsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'] },
  send: { return: 'i32', arguments: ['i32', 'buffer', 'u64', 'i32'] },
  recv: { return: 'i32', arguments: ['i32', 'buffer', 'u64', 'i32'] },
});

export interface NetlinkRequest {
  /** For the error: what was attempted, and on what. */
  readonly what: string;
  readonly type: number;
  readonly flags?: number;
  readonly parts: readonly Buffer[];
}

export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #sequence = 0;
  #open = true;

  constructor(protocol: number = NETLINK_ROUTE) {
    this.#fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket', 'netlink');
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(ANSWER_TIMEOUT_SECONDS, 0);
    check(libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length), 'setsockopt');
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) this.#try(option);
  }

  /** Asks for a change and waits until it is made; throws what the kernel refused it with. */
  request({ what, type, flags = 0, parts }: NetlinkRequest): void {
    const sequence = this.#send({ what, type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, parts });
    for (;;) {
      for (const message of this.#receive(what)) {
        if (message.sequence !== sequence || message.type !== NLMSG_ERROR) continue;
        throwIfError(message, what);
        return;
      }
    }
  }

  /** Asks for one object. */
  get({ what, type, flags = 0, parts }: NetlinkRequest): NetlinkMessage {
    const sequence = this.#send({ what, type, flags: flags | NLM_F_REQUEST, parts });
    for (;;) {
      for (const message of this.#receive(what)) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_ERROR) throwIfError(message, what);
        return message;
      }
    }
  }

  /** Asks for all objects of a kind. */
  dump({ what, type, flags = 0, parts }: NetlinkRequest): NetlinkMessage[] {
    const sequence = this.#send({ what, type, flags: flags | NLM_F_REQUEST | NLM_F_DUMP, parts });
    const answers: NetlinkMessage[] = [];
    for (;;) {
      for (const message of this.#receive(what)) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_ERROR) throwIfError(message, what);
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) return answers;
        // The receive buffer is used again for the next datagram.
        answers.push({ ...message, payload: Buffer.from(message.payload) });
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) closeDescriptor(this.#fd);
    this.#open = false;
  }

  #send({ what, type, flags = 0, parts }: NetlinkRequest): number {
    this.#sequence += 1;
    const bytes = encodeMessage({ type, flags, sequence: this.#sequence }, parts);
    check(libc.send(this.#fd, bytes, BigInt(bytes.length), 0), 'send', what);
    return this.#sequence;
  }

  #receive(what: string): NetlinkMessage[] {
    for (;;) {
      const length = libc.recv(this.#fd, this.#buffer, BigInt(this.#buffer.length), 0);
      if (length >= 0) return decodeMessages(this.#buffer.subarray(0, length));
      if (errno() !== constants.errno.EINTR) throw new SystemError(errno(), 'recv', what);
    }
  }

  /** Older kernels lack some options; all of them only refine answers. */
  #try(option: number): void {
    const one = Buffer.alloc(4);
    one.writeInt32LE(1);
    libc.setsockopt(this.#fd, SOL_NETLINK, option, one, one.length);
  }
}

/** An error message carries errno, the header that it answers and, if we are lucky, a text. */
function throwIfError(message: NetlinkMessage, what: string): void {
  const errorNumber = -message.payload.readInt32LE(0);
  if (errorNumber === 0) return;
  const attributes = decodeAttributes(message.payload.subarray(4 + HEADER_BYTES));
  const text = (message.flags & NLM_F_ACK_TLVS) === 0 ? '' : textOf(attributes.get(NLMSGERR_ATTR_MSG));
  throw new SystemError(errorNumber, 'netlink', text === '' ? what : `${what}: ${text}`);
}
