/**
 * What a plan decides and what carries it out: typed steps, executed in order through the client. The first that fails
 * ends the run; reconciling again plans afresh from what is there then. A lost race (a Conflict) is tried again without
 * a word to the user; everything else is announced.
 *
 * `as` says whether a write may be acknowledged from memory. Creating an object gives it an identity that others refer
 * to (owner references carry UIDs), so whatever may own something, and all that a user wrote or reads as history, is
 * durable: losing it in a crash would take its pods away. Derived are leaves and content that follows from scale
 * (Endpoints, image caches, a status that only repeats how many pods there are): a cold start writes nothing else.
 */
import { unreachable } from '#base/assert.ts';
import type { Client } from '#client/client.ts';
import type { Durability } from '#client/transport.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { asLostRace, type PlannedWrite } from '#controller/lost-race.ts';
import type { Kind } from '#kube/kind.ts';
import { type KubeObject, nameOf, type ObjectRef } from '#kube/object.ts';
import { isConflict } from '#kube/status.ts';
import { someOf } from '#serving/content.ts';

/** Events about a creation: `Created X "n"`, or `Failed to create X "n": why`. */
export interface Announcement {
  readonly about: KubeObject;
  readonly created: string;
  readonly failed: string;
}

interface StepOptions {
  readonly as?: Durability;
  readonly announce?: Announcement;
  /** Put before the error's text: `failed to create Configuration`. */
  readonly doing?: string;
}

export type Step = StepOptions &
  (
    | { readonly verb: 'create' | 'update'; readonly kind: Kind; readonly object: KubeObject }
    | { readonly verb: 'merge'; readonly kind: Kind; readonly ref: ObjectRef; readonly body: object }
    | { readonly verb: 'delete'; readonly kind: Kind; readonly ref: ObjectRef }
  );

export function create<T extends KubeObject>(kind: Kind<T>, object: T, options: StepOptions = {}): Step {
  const { labels, annotations } = object.metadata;
  const metadata = { ...object.metadata, labels: someOf(labels), annotations: someOf(annotations) };
  return { verb: 'create', kind, object: { ...object, metadata }, ...options };
}

/** Replaces the object; its resourceVersion must still be the stored one. */
export function update<T extends KubeObject>(kind: Kind<T>, object: T, options: StepOptions = {}): Step {
  return { verb: 'update', kind, object, ...options };
}

export function merge(kind: Kind, ref: ObjectRef, body: object, options: StepOptions = {}): Step {
  return { verb: 'merge', kind, ref, body, ...options };
}

/** Deletes the object; one that is gone already is no failure. */
export function remove(kind: Kind, ref: ObjectRef, options: StepOptions = {}): Step {
  return { verb: 'delete', kind, ref, ...options };
}

export interface StepEnvironment {
  readonly client: Client;
  readonly events: EventRecorder;
}

/** Carries the steps out, one after the other. */
export async function applySteps(steps: readonly Step[], environment: StepEnvironment): Promise<void> {
  for (const step of steps) await applyStep(step, environment);
}

async function applyStep(step: Step, { client, events }: StepEnvironment): Promise<void> {
  const { announce, doing } = step;
  try {
    await write(step, step.as === 'derived' ? client.derived : client);
    if (announce) events.normal(announce.about, 'Created', announce.created);
  } catch (error) {
    const cause = asLostRace(error, plannedWrite(step));
    if (isConflict(cause)) throw cause;
    const why = error instanceof Error ? error.message : String(error);
    if (announce) events.warning(announce.about, 'CreationFailed', `${announce.failed}: ${why}`);
    if (doing === undefined) throw error;
    throw new Error(`${doing}: ${why}`, { cause: error });
  }
}

function plannedWrite(step: Step): PlannedWrite {
  const { kind } = step;
  const name = 'object' in step ? nameOf(step.object) : step.ref.name;
  return { verb: step.verb === 'create' ? 'create' : 'change', kind, name };
}

function write(step: Step, client: Client): Promise<unknown> {
  switch (step.verb) {
    case 'create':
      return client.create(step.kind, step.object);
    case 'update':
      return client.update(step.kind, step.object);
    case 'merge':
      return client.patch(step.kind, step.ref, { type: 'merge', body: step.body });
    case 'delete':
      return client.remove(step.kind, step.ref);
    default:
      return unreachable(step);
  }
}
