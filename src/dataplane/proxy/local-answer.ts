/** Answers that the proxy itself makes, as bytes, and the Date that goes with them. */
import type { Clock } from '#base/clock.ts';
import type { LocalAnswer } from '#dataplane/proxy/exchange.ts';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  400: 'Bad Request',
  404: 'Not Found',
  413: 'Content Too Large',
  421: 'Misdirected Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** The Date field line, made once a second at most. */
export class DateLine {
  readonly #clock: Clock;
  #second = -1;
  #line: Buffer = Buffer.alloc(0);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get line(): Buffer {
    const now = this.#clock.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = Buffer.from(`Date: ${new Date(now).toUTCString()}\r\n`, 'latin1');
    }
    return this.#line;
  }
}

/** Status line and fields without Connection and without the empty line. */
export function localHead(answer: LocalAnswer, minorVersion: number, date: Buffer): string {
  const headers = (answer.headers ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = Buffer.byteLength(answer.body ?? '');
  const reason = REASONS[answer.status] ?? '';
  return `HTTP/1.${minorVersion} ${answer.status} ${reason}\r\n${headers}${date.toString('latin1')}Content-Length: ${length}\r\n`;
}
