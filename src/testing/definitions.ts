/** CustomResourceDefinitions for tests. */
import { definedKind } from '#kube/defined-kind.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { type Kind, typed } from '#kube/kind.ts';

type Version = CustomResourceDefinition['spec']['versions'][number];
type Names = CustomResourceDefinition['spec']['names'];

export interface DefinitionOptions {
  readonly group?: string;
  readonly names?: Partial<Names>;
  readonly versions?: readonly Version[];
}

const GROUP = 'example.com';

/** `widgets.example.com`, unless said otherwise. */
export function definition(options: DefinitionOptions = {}): CustomResourceDefinition {
  const { group = GROUP, versions = [versionOf('v1', { storage: true })] } = options;
  const names = { plural: 'widgets', kind: 'Widget', ...options.names };
  return typed(CustomResourceDefinition, {
    metadata: { name: `${names.plural}.${group}` },
    spec: { group, names, scope: 'Namespaced', versions: [...versions], conversion: { strategy: 'None' } },
  });
}

export interface VersionOptions extends Partial<Omit<Version, 'name' | 'schema'>> {
  /** Members of the spec. */
  readonly spec?: Readonly<Record<string, object>>;
}

/** Served, with a status. */
export function versionOf(name: string, { spec = { size: { type: 'integer' } }, ...rest }: VersionOptions): Version {
  const status = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: spec }, status } };
  return { name, served: true, storage: false, subresources: { status: {} }, ...rest, schema: { openAPIV3Schema } };
}

/** The token of a kind, without asking whether it is served. */
export function tokenOf(of: CustomResourceDefinition, version = 'v1'): Kind {
  const found = of.spec.versions.find(({ name }) => name === version);
  if (!found) throw new Error(`there is no version ${version}`);
  return definedKind(of, found);
}
