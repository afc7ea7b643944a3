/** What a URL is about, before anyone knows whether it is served. Pure. */

export interface ResourcePath {
  readonly type: 'resource';
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  /** Empty for a collection. */
  readonly name: string;
  readonly subresource: string | undefined;
  /** What follows a subresource that has paths of its own. */
  readonly rest: readonly string[];
  /** From the old `/watch/` paths. */
  readonly isWatch: boolean;
}

export type ApiPath =
  | ResourcePath
  /** `/apis/GROUP` or, with a version, the resources of it; the core group is ''. */
  | { readonly type: 'group'; readonly group: string }
  | { readonly type: 'version'; readonly group: string; readonly version: string }
  /** Everything else: `/healthz`, `/version`, `/openapi/v3/…` */
  | { readonly type: 'other'; readonly segments: readonly string[] };

const OTHER: ApiPath = { type: 'other', segments: [] };

/** `path` is what stands before the query, still encoded. A trailing slash counts for nothing except after `other`. */
export function parsePath(path: string): ApiPath {
  const segments = decodeSegments(path);
  if (segments === undefined) return OTHER;
  const [root, ...rest] = segments.at(-1) === '' && segments.length > 1 ? segments.slice(0, -1) : segments;
  if (root === 'api' && rest.length > 0) return parseVersioned('', rest);
  if (root === 'apis' && rest.length === 1) return { type: 'group', group: rest[0] ?? '' };
  if (root === 'apis' && rest.length > 1) return parseVersioned(rest[0] ?? '', rest.slice(1));
  return { type: 'other', segments };
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function parseVersioned(group: string, [version = '', ...rest]: readonly string[]): ApiPath {
  if (rest.length === 0) return { type: 'version', group, version };
  const isWatch = rest[0] === 'watch' && rest.length > 1;
  const { namespace, parts } = splitNamespace(isWatch ? rest.slice(1) : rest);
  const [plural = '', name = '', subresource, ...more] = parts;
  return { type: 'resource', group, version, plural, namespace, name, subresource, rest: more, isWatch };
}

/** Parts of a namespace's own URL, not names of resources in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

function splitNamespace(parts: readonly string[]): { namespace: string | undefined; parts: readonly string[] } {
  const [first, namespace, third] = parts;
  if (first !== 'namespaces' || third === undefined) return { namespace: undefined, parts };
  if (parts.length === 3 && NAMESPACE_SUBRESOURCES.has(third)) return { namespace: undefined, parts };
  return { namespace, parts: parts.slice(2) };
}
