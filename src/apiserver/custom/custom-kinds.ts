/**
 * Serves what CustomResourceDefinitions define: follows them in the store and keeps the registry in step, in the turn
 * in which a definition changes, and from the first request on after a restart.
 *
 * A definition is served while it is established, under the names that were accepted. Each version is a kind of its
 * own over the same objects, which are kept as they were written and shown in the version that is asked for. The
 * version that objects are stored in can be reached by our own controllers even where it is not served to others.
 */
import { deepEqual } from '#base/json.ts';
import { definedKind, isTrueOf, storageVersionOf } from '#kube/defined-kind.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import type { Store } from '#store/store.ts';
import { conversionOf } from '#apiserver/custom/conversion.ts';
import { instanceStrategy } from '#apiserver/custom/instance-strategy.ts';
import type { Conversion, Registry, ServedKind } from '#apiserver/registry.ts';

/** What is served for one definition. */
interface Served {
  readonly definition: CustomResourceDefinition;
  readonly versions: readonly ServedVersion[];
}

interface ServedVersion {
  readonly served: ServedKind;
  readonly isHidden: boolean;
  readonly ending: AbortController;
}

const DEFINITIONS = resourceOf(CustomResourceDefinition);

/** Follows the store for as long as it lives. */
export function followDefinitions(store: Store, registry: Registry): void {
  const kinds = new CustomKinds(registry);
  const { objects, revision } = store.list(DEFINITIONS, {});
  for (const object of objects) kinds.take(object);
  store.watch(DEFINITIONS, revision, ({ type, object }) => {
    if (type === 'deleted') kinds.drop(object.metadata.name ?? '');
    else kinds.take(object);
  });
}

class CustomKinds {
  readonly #registry: Registry;
  readonly #served = new Map<string, Served>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  take(object: KubeObject): void {
    const definition = object as CustomResourceDefinition;
    const name = definition.metadata.name ?? '';
    const before = this.#served.get(name);
    if (before && isServedAlike(before.definition, definition)) {
      // Only what its state says has changed: schemas stay compiled, and watches open.
      this.#served.set(name, { ...before, definition });
      return;
    }
    const versions = this.#versionsOf(definition, () => this.#served.get(name)?.definition ?? definition);
    if (versions.length === 0 && !before) return;
    for (const { served, isHidden } of versions) this.#registry.put(served, isHidden ? 'hidden' : 'served');
    this.#served.set(name, { definition, versions });
    for (const old of before?.versions ?? []) this.#end(old, versions);
  }

  drop(name: string): void {
    const before = this.#served.get(name);
    this.#served.delete(name);
    for (const old of before?.versions ?? []) this.#end(old, []);
  }

  /** Takes a version out of service, unless another of the same name has come in its place. */
  #end({ served, ending }: ServedVersion, successors: readonly ServedVersion[]): void {
    const { group, version, plural } = served.kind;
    const isReplaced = successors.some(({ served: { kind } }) => kind.version === version && kind.plural === plural);
    if (!isReplaced) this.#registry.remove({ group, version, plural });
    ending.abort();
  }

  #versionsOf(definition: CustomResourceDefinition, current: () => CustomResourceDefinition): ServedVersion[] {
    const storage = storageVersionOf(definition);
    if (!storage || !isTrueOf(definition, 'Established') || this.#isBuiltin(definition)) return [];
    const storedAs = definedKind(definition, storage);
    return definition.spec.versions
      .filter((version) => version.served || version === storage)
      .map((version) => {
        const kind = version === storage ? storedAs : definedKind(definition, version);
        const conversion = conversionOf(kind, storedAs, definition);
        return servedVersion({ kind, storedAs, conversion, isHidden: !version.served, current });
      });
  }

  /** A kind that is in the program keeps its own rules, whatever a definition of the same name says. */
  #isBuiltin({ metadata }: CustomResourceDefinition): boolean {
    return this.#registry.list().some(({ kind }) => !kind.definition && resourceOf(kind) === metadata.name);
  }
}

interface NewVersion {
  readonly kind: Kind;
  readonly storedAs: Kind;
  readonly conversion: Conversion;
  readonly isHidden: boolean;
  /** The definition as it is at the time of a request. */
  readonly current: () => CustomResourceDefinition;
}

function servedVersion({ kind, storedAs, conversion, isHidden, current }: NewVersion): ServedVersion {
  const ending = new AbortController();
  const strategy = instanceStrategy({ kind, conversion, current });
  const served = { kind, storedAs, resource: resourceOf(kind), strategy, conversion, ended: ending.signal };
  return { served, isHidden, ending };
}

/** Whether two states of a definition mean the same to whoever uses its kinds. */
function isServedAlike(before: CustomResourceDefinition, after: CustomResourceDefinition): boolean {
  return (
    isTrueOf(before, 'Established') === isTrueOf(after, 'Established') &&
    deepEqual(before.spec, after.spec) &&
    deepEqual(before.status?.acceptedNames, after.status?.acceptedNames)
  );
}
