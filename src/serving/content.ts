/** Bringing an object that is there to what a plan wants, without touching what others keep in it. Pure. */
import type { KubeObject, Stored } from '#kube/object.ts';

/** The existing object with labels, annotations and spec of the desired one; the rest of the metadata stays. */
export function withContentOf<T extends KubeObject & { spec: unknown }>(existing: Stored<T>, desired: T): Stored<T> {
  const { labels, annotations } = desired.metadata;
  const metadata = { ...existing.metadata, labels: someOf(labels), annotations: someOf(annotations) };
  return { ...existing, metadata, spec: desired.spec };
}

/** The API stores no empty map. */
export function someOf(values: Record<string, string> | undefined): Record<string, string> | undefined {
  return values && Object.keys(values).length > 0 ? values : undefined;
}

/** Whether every wanted member is there with that value. */
export function includesAll(
  values: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => values[key] === value);
}
