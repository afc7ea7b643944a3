/** A watch under way in a replayed case, and what it has said. */
import { isObject } from '#base/json.ts';
import { systemClock } from '#base/clock.ts';
import type { Head } from '#testing/http-replay/connection.ts';

/** How long nothing more may come after what was recorded. */
const QUIET_MS = 150;

const POLL_MS = 5;
const TIMEOUT_MS = 5_000;

export interface Collected {
  readonly events: readonly unknown[];
  readonly closed: boolean;
}

export class ReplayedWatch implements Disposable {
  readonly #head: Head;
  #events: unknown[] = [];
  #rest = '';
  #isClosed = false;

  constructor(head: Head) {
    this.#head = head;
    const { response } = head;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    const end = () => (this.#isClosed = true);
    response.on('end', end).on('error', end).on('close', end);
  }

  /** Everything since the last time: as many events as were recorded and no more, or all until the watch ends. */
  async collect(count: number | undefined, timeoutMs = TIMEOUT_MS): Promise<Collected> {
    const never = new AbortController().signal;
    const deadline = systemClock.monotonicMs() + timeoutMs;
    const isComplete = () => this.#isClosed || (count !== undefined && this.#events.length >= count);
    while (!isComplete() && systemClock.monotonicMs() < deadline) await systemClock.sleep(POLL_MS, never);
    if (count !== undefined && !this.#isClosed) await systemClock.sleep(QUIET_MS, never);
    const events = this.#events.map(marked);
    this.#events = [];
    return { events, closed: this.#isClosed };
  }

  [Symbol.dispose](): void {
    this.#head.request.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#events.push(JSON.parse(line) as unknown);
  }
}

/** The version of a bookmark is nobody's, like that of a list. */
function marked(event: unknown): unknown {
  if (!isObject(event) || event['type'] !== 'BOOKMARK' || !isObject(event['object'])) return event;
  return { ...event, object: { ...event['object'], $bookmark: true } };
}
