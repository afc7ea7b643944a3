/**
 * Finalizers: an object stays until what was made for it, and cannot be found by ownership, is undone.
 * Name and Event are those of Knative's reconcilers: `routes.serving.knative.dev`, `Updated "a" finalizers`.
 */
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { asLostRace } from '#controller/lost-race.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { type KubeObject, nameOf, type Stored } from '#kube/object.ts';
import { isNotFound } from '#kube/status.ts';

export interface FinalizerEnvironment {
  readonly client: Client;
  readonly events: EventRecorder;
}

export function hasFinalizer(kind: Kind, { metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(resourceOf(kind)) ?? false;
}

export async function addFinalizer<T extends KubeObject>(
  kind: Kind<T>,
  object: Stored<T>,
  environment: FinalizerEnvironment,
): Promise<void> {
  if (hasFinalizer(kind, object)) return;
  const finalizers = [...(object.metadata.finalizers ?? []), resourceOf(kind)];
  try {
    await write(kind, object, { finalizers, ...environment });
  } catch (error) {
    throw asLostRace(error, { verb: 'change', kind, name: nameOf(object) });
  }
}

export async function removeFinalizer<T extends KubeObject>(
  kind: Kind<T>,
  object: Stored<T>,
  environment: FinalizerEnvironment,
): Promise<void> {
  if (!hasFinalizer(kind, object)) return;
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== resourceOf(kind));
  try {
    await write(kind, object, { finalizers, ...environment });
  } catch (error) {
    // Gone already: a copy that lags still shows it.
    if (!isNotFound(error)) throw error;
  }
}

/** With the version that was read: a finalizer that somebody else adds meanwhile must not be lost. */
async function write<T extends KubeObject>(
  kind: Kind<T>,
  object: Stored<T>,
  { finalizers, client, events }: FinalizerEnvironment & { finalizers: string[] },
): Promise<void> {
  const { namespace, name, resourceVersion } = object.metadata;
  await client.patch(kind, { namespace, name }, { type: 'merge', body: { metadata: { finalizers, resourceVersion } } });
  events.normal(object, 'FinalizerUpdate', `Updated "${nameOf(object)}" finalizers`);
}
