/**
 * Names of images as Knative reads them: a registry (a first part with a dot or a colon in it; Docker Hub otherwise),
 * a repository, and a tag (`latest` when there is none) or a digest.
 */

export interface ImageReference {
  /** `index.docker.io` where the name has none. */
  readonly registry: string;
  /** With `library/` before the official images of Docker Hub. */
  readonly repository: string;
  /** Absent where there is a digest. */
  readonly tag: string | undefined;
  /** `sha256:…`, absent where there is none. */
  readonly digest: string | undefined;
}

const DOCKER_HUB = 'index.docker.io';
const REPOSITORY = /^[a-z0-9_\-./]{2,255}$/;
const TAG = /^[\w\-.]{1,128}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** A host and perhaps a port, as a URL would take it. */
const REGISTRY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

/** The parts of the name, or the error that Knative gives. */
export function parseImageReference(name: string): ImageReference | Error {
  return parseTagged(name) ?? parseDigested(name) ?? new Error(`could not parse reference: ${name}`);
}

function parseTagged(name: string): ImageReference | undefined {
  const colon = name.lastIndexOf(':');
  const hasTag = colon >= 0 && !name.includes('/', colon);
  const tag = hasTag ? name.slice(colon + 1) : '';
  if (tag !== '' && !TAG.test(tag)) return undefined;
  const place = parseRepository(hasTag ? name.slice(0, colon) : name);
  return place && { ...place, tag: tag || 'latest', digest: undefined };
}

function parseDigested(name: string): ImageReference | undefined {
  const [base = '', digest = '', ...others] = name.split('@');
  if (others.length > 0 || !DIGEST.test(digest)) return undefined;
  // A tag before the digest says nothing more, and is dropped.
  const place = parseTagged(base) ?? parseRepository(base);
  return place && { registry: place.registry, repository: place.repository, tag: undefined, digest };
}

function parseRepository(name: string): Pick<ImageReference, 'registry' | 'repository'> | undefined {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasRegistry = first.includes('.') || first.includes(':');
  const repository = hasRegistry ? name.slice(slash + 1) : name;
  if (!REPOSITORY.test(repository) || (hasRegistry && !REGISTRY.test(first))) return undefined;
  const registry = hasRegistry && first !== 'docker.io' ? first : DOCKER_HUB;
  const isOfficial = registry === DOCKER_HUB && !repository.includes('/');
  return { registry, repository: isOfficial ? `library/${repository}` : repository };
}
