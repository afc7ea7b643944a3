/**
 * The kinds that a CustomResourceDefinition defines, one per version: what it says of each, as a `Kind`. Pure.
 *
 * Names are those that were accepted, not those that are asked for. A schema is compiled when it is first needed, and
 * then once.
 */
import { isObject, type JsonValue } from '#base/json.ts';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import type { Definition, Kind, PrinterColumn, ScaleSubresource } from '#kube/kind.ts';
import { compileStructural, type StructuralSchema } from '#kube/structural/compile.ts';

type DefinitionVersion = CustomResourceDefinition['spec']['versions'][number];
export type DefinitionCondition = NonNullable<NonNullable<CustomResourceDefinition['status']>['conditions']>[number];

const COLUMN_TYPES: ReadonlySet<string> = new Set(['string', 'integer', 'number', 'boolean', 'date']);

function conditionOf(definition: CustomResourceDefinition, type: string): DefinitionCondition | undefined {
  return definition.status?.conditions?.find((condition) => condition.type === type);
}

export function isTrueOf(definition: CustomResourceDefinition, type: string): boolean {
  return conditionOf(definition, type)?.status === 'True';
}

/** The version in which objects are kept; validation has made sure that there is exactly one. */
export function storageVersionOf({ spec }: CustomResourceDefinition): DefinitionVersion | undefined {
  return spec.versions.find(({ storage }) => storage);
}

/** Every version of every definition that is served. */
export function definedKinds(definitions: readonly CustomResourceDefinition[]): Kind[] {
  return definitions
    .filter((definition) => isTrueOf(definition, 'Established'))
    .flatMap((definition) => {
      const served = definition.spec.versions.filter((version) => version.served);
      return served.map((version) => definedKind(definition, version));
    });
}

/** The kind as one version shows it. */
export function definedKind(definition: CustomResourceDefinition, version: DefinitionVersion): Kind {
  const { spec, status } = definition;
  const names = status?.acceptedNames ?? spec.names;
  const structural = lazily(version);
  return {
    group: spec.group,
    version: version.name,
    kind: names.kind,
    // Part of the definition's name, so that nobody else can have it.
    plural: spec.names.plural,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    get schema() {
      return structural().schema as Kind['schema'];
    },
    hasStatus: version.subresources?.status !== undefined,
    scale: scaleOf(version),
    columns: (version.additionalPrinterColumns ?? []).map(columnOf),
    isCustom: true,
    definition: {
      ...readable(definition, version),
      get rules() {
        return structural();
      },
    },
  };
}

function readable({ spec, status }: CustomResourceDefinition, version: DefinitionVersion): Omit<Definition, 'rules'> {
  const { deprecated, deprecationWarning } = version;
  const madeUp = `${spec.group}/${version.name} ${spec.names.kind} is deprecated`;
  const { kind, listKind } = status?.acceptedNames ?? spec.names;
  return {
    listKind: listKind || `${kind}List`,
    openAPIV3Schema: schemaOf(version),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
    deprecation: deprecated ? (deprecationWarning ?? madeUp) : undefined,
  };
}

function schemaOf({ schema }: DefinitionVersion): Record<string, JsonValue> {
  const given: unknown = schema?.openAPIV3Schema;
  return isObject(given) ? (given as Record<string, JsonValue>) : { type: 'object' };
}

function lazily(version: DefinitionVersion): () => StructuralSchema {
  let compiled: StructuralSchema | undefined;
  return () => (compiled ??= compileStructural(schemaOf(version)));
}

function scaleOf({ subresources }: DefinitionVersion): ScaleSubresource | undefined {
  const scale = subresources?.scale;
  if (!scale) return undefined;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  return { specReplicasPath, statusReplicasPath, ...(labelSelectorPath ? { labelSelectorPath } : {}) };
}

type ColumnDefinition = NonNullable<DefinitionVersion['additionalPrinterColumns']>[number];

function columnOf({ name, type, jsonPath, description, format, priority }: ColumnDefinition): PrinterColumn {
  return {
    name,
    type: COLUMN_TYPES.has(type) ? (type as PrinterColumn['type']) : 'string',
    jsonPath,
    ...(description ? { description } : {}),
    ...(format ? { format } : {}),
    ...(priority ? { priority } : {}),
  };
}
