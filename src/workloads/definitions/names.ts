/**
 * Which names a CustomResourceDefinition gets: kinds of one group must not answer to the same name, and who came first
 * keeps it. Pure.
 */
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';

export type Names = CustomResourceDefinition['spec']['names'];

export interface Conflict {
  /** As the condition calls it, such as `KindConflict`. */
  readonly reason: string;
  readonly message: string;
}

export interface NamesVerdict {
  /** What was asked for, where it is free, and what it had before where it is not. */
  readonly accepted: Names;
  /** The last of them, where there are several. */
  readonly conflict: Conflict | undefined;
}

const NO_NAMES: Names = { plural: '', kind: '' };

/** @param others the definitions of the same group, beside this one. */
export function acceptNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): NamesVerdict {
  const asked = definition.spec.names;
  const accepted: Names = { ...(definition.status?.acceptedNames ?? NO_NAMES) };
  const used = namesInUse(others);
  let conflict: Conflict | undefined;
  const refuse = (reason: string, message: string) => (conflict = { reason, message });
  for (const { member, reason, among } of SINGLE_NAMES) {
    const wanted = asked[member] ?? '';
    if (wanted !== (accepted[member] ?? '') && used[among].has(wanted)) refuse(reason, inUse(wanted));
    else setName(accepted, member, wanted);
    if (member === 'singular') acceptShortNames();
  }
  setList(accepted, 'categories', asked.categories);
  return { accepted, conflict };

  function acceptShortNames(): void {
    const kept = new Set(accepted.shortNames ?? []);
    const taken = (asked.shortNames ?? []).filter((name) => !kept.has(name) && used.resources.has(name));
    const messages = taken.map(inUse);
    if (messages.length === 0) setList(accepted, 'shortNames', asked.shortNames);
    else refuse('ShortNamesConflict', messages.length === 1 ? String(messages[0]) : `[${messages.join(', ')}]`);
  }
}

/** In the order in which they are looked at; short names come after the singular. */
const SINGLE_NAMES = [
  { member: 'plural', reason: 'PluralConflict', among: 'resources' },
  { member: 'singular', reason: 'SingularConflict', among: 'resources' },
  { member: 'kind', reason: 'KindConflict', among: 'kinds' },
  { member: 'listKind', reason: 'ListKindConflict', among: 'kinds' },
] as const;

type SingleName = (typeof SINGLE_NAMES)[number]['member'];

interface UsedNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

function namesInUse(others: readonly CustomResourceDefinition[]): UsedNames {
  const names = others.map(({ status }) => status?.acceptedNames ?? NO_NAMES);
  const present = (text: string | undefined) => (text ? [text] : []);
  return {
    resources: new Set(
      names.flatMap(({ plural, singular, shortNames }) => [
        ...present(plural),
        ...present(singular),
        ...(shortNames ?? []),
      ]),
    ),
    kinds: new Set(names.flatMap(({ kind, listKind }) => [...present(kind), ...present(listKind)])),
  };
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`;
}

function setName(names: Names, member: SingleName, value: string): void {
  if (value !== '' || member === 'plural' || member === 'kind') names[member] = value;
  else delete names[member];
}

function setList(names: Names, member: 'shortNames' | 'categories', value: readonly string[] | undefined): void {
  if (value && value.length > 0) names[member] = [...value];
  else delete names[member];
}
