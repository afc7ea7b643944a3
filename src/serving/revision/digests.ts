/**
 * Looks up the digests of a Revision's images, aside from the reconcile that asks for them.
 *
 * The first question starts the look-up and is answered `pending`; `onSettled` names the Revision once there is an
 * answer, which the next question gets, and gets once: after a failure, the question after that begins anew, each
 * attempt later than the one before (1 s, 2 s, 4 s … 1000 s). At most `MAX_LOOK_UPS` run at a time; more wait in line.
 */
import { backoffDelayMs } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { ObjectKey } from '#kube/object.ts';
import type { DigestResolver, ImageCredentials } from '#serving/environment.ts';

/** Look-ups that run side by side. */
const MAX_LOOK_UPS = 100;

const RETRY = { baseMs: 1_000, maxMs: 1_000_000 };

export interface DigestSettings {
  readonly timeoutMs: number;
  /** Registries whose tags are left alone. */
  readonly skipped: ReadonlySet<string>;
}

export interface DigestQuestion {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly images: readonly string[];
  readonly credentials: ImageCredentials;
}

export type DigestAnswer =
  | { readonly state: 'pending' }
  /** Image → digest; empty for an image whose tag is left alone. */
  | { readonly state: 'resolved'; readonly digests: ReadonlyMap<string, string> }
  | { readonly state: 'failed'; readonly message: string };

export interface DigestsOptions {
  readonly resolver: DigestResolver;
  readonly clock: Clock;
  readonly settings: () => DigestSettings;
  readonly onSettled: (key: ObjectKey) => void;
}

interface LookUp {
  readonly uid: string;
  readonly stop: AbortController;
  readonly digests: Map<string, string>;
  left: number;
  failure: string | undefined;
}

export class Digests implements Disposable {
  readonly #options: DigestsOptions;
  readonly #lookUps = new Map<ObjectKey, LookUp>();
  /** Attempts in a row that failed. */
  readonly #failures = new Map<ObjectKey, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: DigestsOptions) {
    this.#options = options;
  }

  ask(question: DigestQuestion): DigestAnswer {
    const { key, uid } = question;
    const known = this.#lookUps.get(key);
    if (known && known.uid !== uid) this.forget(key);
    const lookUp = this.#lookUps.get(key) ?? this.#begin(question);
    if (lookUp.failure !== undefined) {
      this.#lookUps.delete(key);
      return { state: 'failed', message: lookUp.failure };
    }
    if (lookUp.left > 0) return { state: 'pending' };
    this.#lookUps.delete(key);
    this.#failures.delete(key);
    return { state: 'resolved', digests: lookUp.digests };
  }

  /** The Revision is gone. */
  forget(key: ObjectKey): void {
    this.#lookUps.get(key)?.stop.abort();
    this.#lookUps.delete(key);
    this.#failures.delete(key);
  }

  [Symbol.dispose](): void {
    for (const key of this.#lookUps.keys()) this.forget(key);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #begin(question: DigestQuestion): LookUp {
    const { skipped } = this.#options.settings();
    const lookUp: LookUp = {
      uid: question.uid,
      stop: new AbortController(),
      digests: new Map(),
      left: 0,
      failure: undefined,
    };
    const images = new Set(question.images);
    for (const image of images) {
      if (isDigest(image)) lookUp.digests.set(image, image);
      else if (skipped.has(registryOf(image))) lookUp.digests.set(image, '');
    }
    const open = [...images].filter((image) => !lookUp.digests.has(image));
    lookUp.left = open.length;
    this.#lookUps.set(question.key, lookUp);
    for (const image of open) void this.#lookUp(question, lookUp, image);
    return lookUp;
  }

  async #lookUp({ key, credentials }: DigestQuestion, lookUp: LookUp, image: string): Promise<void> {
    const { clock, resolver, settings, onSettled } = this.#options;
    const { signal } = lookUp.stop;
    const failures = this.#failures.get(key) ?? 0;
    try {
      if (failures > 0) await clock.sleep(backoffDelayMs(RETRY, failures - 1), signal);
      using _ = await this.#turn(signal);
      const timeout = new AbortController();
      using _timer = clock.after(settings().timeoutMs, () => timeout.abort(new Error('context deadline exceeded')));
      const digest = await resolver.resolve(image, credentials, AbortSignal.any([signal, timeout.signal]));
      lookUp.digests.set(image, digest);
      lookUp.left -= 1;
    } catch (error) {
      if (signal.aborted) return;
      this.#failures.set(key, failures + 1);
      const why = error instanceof Error ? error.message : String(error);
      lookUp.failure = `Unable to fetch image "${image}": failed to resolve image to digest: ${why}`;
      lookUp.stop.abort();
    }
    if (this.#lookUps.get(key) === lookUp && (lookUp.left === 0 || lookUp.failure !== undefined)) onSettled(key);
  }

  /** Waits for one of the places; disposing it gives the place to the next in line. */
  async #turn(signal: AbortSignal): Promise<Disposable> {
    if (this.#running >= MAX_LOOK_UPS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    const release = () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    };
    if (signal.aborted) {
      release();
      throw signal.reason;
    }
    return { [Symbol.dispose]: release };
  }
}

function isDigest(image: string): boolean {
  return /@sha256:[0-9a-f]{64}$/.test(image);
}

const DEFAULT_REGISTRY = 'index.docker.io';

/** The host of an image reference, as Docker reads it. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  return isHost && first !== 'docker.io' ? first : DEFAULT_REGISTRY;
}
