/**
 * Records Kubernetes Events about objects: what happened, for `kubectl describe` and `kubectl get events`.
 *
 * An Event that repeats (same object or part of it, type, reason and message) is counted up instead of written anew. Events are
 * derived state: they are written without waiting for the disk, in order, and a failure to write one is logged and
 * forgotten. At most `MAX_QUEUED` wait; more are dropped and counted in the log.
 */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { typed } from '#kube/kind.ts';
import { type KubeObject, namespaceOf, nameOf } from '#kube/object.ts';
import { isStatus } from '#kube/status.ts';
import { formatTime } from '#kube/time.ts';

/** Most Events that wait to be written. */
const MAX_QUEUED = 1_000;

/** How many recent Events are remembered for counting. */
const MAX_REMEMBERED = 2_000;

/** An Event is counted up only when it repeats within this time. */
const REPEAT_WITHIN_MS = 10 * 60_000;

/** Namespace of Events about cluster-scoped objects. */
const DEFAULT_NAMESPACE = 'default';

export interface EventRecorder {
  normal(object: KubeObject, reason: string, message: string): void;
  warning(object: KubeObject, reason: string, message: string): void;
}

export interface PartedEventRecorder extends EventRecorder {
  /** Of a part of whatever object, such as `spec.containers{app}`; parts are counted apart. */
  ofPart(fieldPath: string): EventRecorder;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `source.component`, such as `service-controller`. */
  readonly component: string;
  readonly host?: string;
}

/** Random bytes in the name of an Event. */
const SALT_BYTES = 4;

interface Remembered {
  readonly name: string;
  count: number;
  lastSeenMs: number;
}

export function createEventRecorder(options: EventRecorderOptions): PartedEventRecorder {
  const writer = new EventWriter(options);
  const recorder = (fieldPath?: string): EventRecorder => ({
    normal: (object, reason, message) => writer.record(object, { type: 'Normal', reason, message, fieldPath }),
    warning: (object, reason, message) => writer.record(object, { type: 'Warning', reason, message, fieldPath }),
  });
  return { ...recorder(), ofPart: recorder };
}

interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly fieldPath: string | undefined;
}

class EventWriter {
  readonly #options: EventRecorderOptions;
  readonly #remembered = new Map<string, Remembered>();
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(object: KubeObject, note: Note): void {
    if (this.#queued >= MAX_QUEUED) {
      this.#options.logger.warn('too many events wait, dropped one', { ...note });
      return;
    }
    this.#queued += 1;
    this.#tail = this.#tail
      .then(() => this.#write(object, note))
      .finally(() => {
        this.#queued -= 1;
      });
  }

  async #write(object: KubeObject, note: Note): Promise<void> {
    const { type, reason, message, fieldPath } = note;
    const key = [object.kind, object.metadata.uid, fieldPath, type, reason, message].join('\u0000');
    const now = this.#options.clock.now();
    const known = this.#remembered.get(key);
    try {
      if (known && now - known.lastSeenMs < REPEAT_WITHIN_MS && (await this.#countUp(object, known))) return;
      await this.#create(object, note, key);
    } catch (error) {
      // The namespace is going away, or the server refuses: an Event is not worth more.
      if (!isStatus(error, 'Forbidden', 'NotFound'))
        this.#options.logger.warn('an event was not written', { error, ...note });
    }
  }

  async #create(object: KubeObject, { type, reason, message, fieldPath }: Note, key: string): Promise<void> {
    const { client, clock, component, host } = this.#options;
    const now = formatTime(clock.now());
    // Recorders of several components write about objects of one name within the same millisecond.
    const salt = Buffer.from(clock.randomBytes(SALT_BYTES)).toString('hex');
    const suffix = `${BigInt(Math.round(clock.now() * 1e6)).toString(16)}${salt}`;
    const name = `${nameOf(object)}.${suffix}`;
    const namespace = namespaceOf(object) || DEFAULT_NAMESPACE;
    const event = typed(Event, {
      metadata: { name, namespace },
      involvedObject: { ...referenceTo(object), ...(fieldPath === undefined ? {} : { fieldPath }) },
      type,
      reason,
      message,
      source: host === undefined ? { component } : { component, host },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      reportingComponent: component,
      reportingInstance: host ?? '',
    });
    await client.derived.create(Event, event);
    this.#remember(key, { name, count: 1, lastSeenMs: clock.now() });
  }

  async #countUp(object: KubeObject, known: Remembered): Promise<boolean> {
    const { client, clock } = this.#options;
    const ref = { namespace: namespaceOf(object) || DEFAULT_NAMESPACE, name: known.name };
    const body = { count: known.count + 1, lastTimestamp: formatTime(clock.now()) };
    try {
      await client.derived.patch(Event, ref, { type: 'merge', body });
    } catch (error) {
      if (isStatus(error, 'NotFound')) return false;
      throw error;
    }
    known.count += 1;
    known.lastSeenMs = clock.now();
    return true;
  }

  #remember(key: string, entry: Remembered): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, entry);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function referenceTo(object: KubeObject) {
  const { uid, namespace, resourceVersion } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, name: nameOf(object), namespace, uid, resourceVersion };
}
