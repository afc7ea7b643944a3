/**
 * Finalizers: an object stays until what was made for it, and cannot be found by ownership, is undone.
 * Name and Event are those of Knative's reconcilers: `routes.serving.knative.dev`, `Updated "a" finalizers`.
 */
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { type KubeObject, nameOf, type Stored } from '#kube/object.ts';

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
  await write(kind, object, { finalizers: [...(object.metadata.finalizers ?? []), resourceOf(kind)], ...environment });
}

export async function removeFinalizer<T extends KubeObject>(
  kind: Kind<T>,
  object: Stored<T>,
  environment: FinalizerEnvironment,
): Promise<void> {
  if (!hasFinalizer(kind, object)) return;
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== resourceOf(kind));
  await write(kind, object, { finalizers, ...environment });
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
