/**
 * Knative's kinds as CustomResourceDefinitions, made from the kinds themselves: what `kubectl get crd` shows, and what
 * tools that look for an installed Knative look at. Our kinds are served from the program; these are their picture.
 */
import type { CustomResourceDefinition as Definition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { type Kind, type PrinterColumn, resourceOf, typed } from '#kube/kind.ts';
import { openApiInPlace } from '#kube/openapi.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { legacyViews } from '#knative/legacy/v1alpha1.ts';

type Version = Definition['spec']['versions'][number];

/** What other tools may do with objects of these kinds (Knative's duck types). */
const DUCKS: Readonly<Record<string, readonly string[]>> = {
  'services.serving.knative.dev': ['addressable', 'podspecable'],
  'configurations.serving.knative.dev': ['podspecable'],
  'routes.serving.knative.dev': ['addressable'],
};

const NETWORKING_GROUP = 'networking.internal.knative.dev';

export function knativeDefinitions(version: string): Definition[] {
  return knativeKinds.map((kind) => definitionOf(kind, version));
}

function definitionOf(kind: Kind, version: string): Definition {
  const name = resourceOf(kind);
  const older = legacyViews.filter(({ storedAs }) => storedAs === kind).map(({ kind: view }) => view);
  return typed(CustomResourceDefinition, {
    metadata: { name, labels: labelsOf(kind, version) },
    spec: {
      group: kind.group,
      names: namesOf(kind),
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      versions: [versionOf(kind, { storage: true }), ...older.map((view) => versionOf(view, { storage: false }))],
      conversion: { strategy: 'None' },
    },
  });
}

function labelsOf(kind: Kind, version: string): Record<string, string> {
  const ducks = DUCKS[resourceOf(kind)] ?? [];
  return {
    'app.kubernetes.io/name': 'knative-serving',
    ...(kind.group === NETWORKING_GROUP ? { 'app.kubernetes.io/component': 'networking' } : {}),
    'app.kubernetes.io/version': version,
    'knative.dev/crd-install': 'true',
    ...Object.fromEntries(ducks.map((duck) => [`duck.knative.dev/${duck}`, 'true'])),
  };
}

function namesOf({ kind, plural, singular, shortNames, categories }: Kind): Definition['spec']['names'] {
  return {
    kind,
    listKind: `${kind}List`,
    plural,
    singular,
    ...(shortNames.length > 0 ? { shortNames: [...shortNames] } : {}),
    ...(categories.length > 0 ? { categories: [...categories] } : {}),
  };
}

function versionOf(kind: Kind, { storage }: { readonly storage: boolean }): Version {
  return {
    name: kind.version,
    served: true,
    storage,
    schema: { openAPIV3Schema: schemaOf(kind) },
    ...(kind.hasStatus ? { subresources: { status: {} } } : {}),
    ...(kind.columns.length > 0 ? { additionalPrinterColumns: kind.columns.map(columnOf) } : {}),
  };
}

/** In a definition, metadata is an object like any other. */
function schemaOf({ schema }: Kind): object {
  const { properties, ...rest } = openApiInPlace(schema) as { properties: Record<string, unknown> };
  return { ...rest, properties: { ...properties, metadata: { type: 'object' } } };
}

function columnOf({ name, type, jsonPath, description, format, priority }: PrinterColumn) {
  return {
    name,
    type,
    jsonPath,
    ...(description ? { description } : {}),
    ...(format ? { format } : {}),
    ...(priority ? { priority } : {}),
  };
}
