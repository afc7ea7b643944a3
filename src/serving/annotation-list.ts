/** Annotations that hold a sorted list between commas, such as `serving.knative.dev/routes`. */

export function readList(value: string | undefined): string[] {
  return value ? value.split(',') : [];
}

export function addToList(value: string | undefined, entry: string): string {
  return [...new Set([...readList(value), entry])].sort().join(',');
}

/** Undefined when nothing is left. */
export function removeFromList(value: string | undefined, entry: string): string | undefined {
  const left = readList(value).filter((other) => other !== entry);
  return left.length === 0 ? undefined : left.sort().join(',');
}
