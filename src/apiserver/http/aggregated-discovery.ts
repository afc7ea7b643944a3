/** All groups, versions and resources in one document (apidiscovery.k8s.io/v2): what kubectl asks for first. */
import type { ServedGroup } from '#apiserver/http/groups.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { type KindName, subresourcesOf, verbsOf } from '#apiserver/resources.ts';

export function aggregatedDiscovery(groups: readonly ServedGroup[]): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? { creationTimestamp: null } : { name, creationTimestamp: null },
      versions: versions.map((version) => ({
        version: version.name,
        resources: version.kinds.map(resourceOf),
        freshness: 'Current',
      })),
    })),
  };
}

function resourceOf(served: ServedKind): object {
  const { kind } = served;
  const subresources = subresourcesOf(served).map(({ name, verbs, kind: other }) => ({
    subresource: name,
    responseKind: other ? withoutCore(other) : responseKind(served),
    verbs: [...verbs].sort(),
  }));
  return {
    resource: kind.plural,
    responseKind: responseKind(served),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: [...verbsOf(served)].sort(),
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

function withoutCore(name: KindName): KindName {
  return name.group === '' ? { ...name, version: '' } : name;
}

/** Built-in kinds leave group and version to the place where they stand. */
function responseKind({ kind }: ServedKind): KindName {
  return kind.isCustom
    ? { group: kind.group, version: kind.version, kind: kind.kind }
    : { group: '', version: '', kind: kind.kind };
}
