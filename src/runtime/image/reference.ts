/**
 * Image names as container runtimes read them: `[registry/]repository[:tag][@digest]`, where Docker Hub and its
 * `library/` are implied and `latest` is the tag of a name that has neither tag nor digest.
 *
 * Where Knative's admission is stricter (repository paths of one character), that is admission's business.
 */
import { type Digest, isDigest } from '#runtime/image/digest.ts';

export interface ImageReference {
  /** Host and port as written, `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly repository: string;
  /** Absent when the reference is by digest: a digest wins over a tag beside it. */
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

export type ParsedReference = { readonly reference: ImageReference } | { readonly problem: string };

const DOCKER_HUB = 'docker.io';
const MAX_NAME_LENGTH = 255;
const MAX_TEXT_LENGTH = 1_024;

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const BARE_IDENTIFIER = /^[a-f0-9]{64}$/;

const BAD_FORMAT = 'invalid reference format';

/** The reference, or what is wrong with `text` in the words of the reference grammar's own implementation. */
export function parseReference(text: string): ParsedReference {
  if (BARE_IDENTIFIER.test(text)) {
    return { problem: `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings` };
  }
  if (text.length > MAX_TEXT_LENGTH) return { problem: BAD_FORMAT };
  const { registry, remainder } = splitRegistry(text);
  const repositoryPart = remainder.split(':', 1)[0] ?? '';
  if (repositoryPart.toLowerCase() !== repositoryPart) {
    return { problem: `${BAD_FORMAT}: repository name (${repositoryPart}) must be lowercase` };
  }
  return parseRemainder(registry, remainder);
}

function parseRemainder(registry: string, remainder: string): ParsedReference {
  const at = remainder.indexOf('@');
  const digest = at < 0 ? undefined : remainder.slice(at + 1);
  const named = at < 0 ? remainder : remainder.slice(0, at);
  const colon = named.indexOf(':');
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  if (digest !== undefined && !isDigest(digest)) return { problem: BAD_FORMAT };
  if (tag !== undefined && !TAG.test(tag)) return { problem: BAD_FORMAT };
  if (!DOMAIN.test(registry)) return { problem: BAD_FORMAT };
  if (!repository.split('/').every((part) => PATH_COMPONENT.test(part))) return { problem: BAD_FORMAT };
  if (repository.length + registry.length + 1 > MAX_NAME_LENGTH) {
    return { problem: `repository name must not be more than ${MAX_NAME_LENGTH} characters` };
  }
  return { reference: digest ? { registry, repository, digest } : { registry, repository, tag: tag ?? 'latest' } };
}

/** The first component names a registry when it looks like a host: a dot, a colon, `localhost` or upper case. */
function splitRegistry(text: string): { registry: string; remainder: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const registry = !isHost || first === 'index.docker.io' ? DOCKER_HUB : first;
  const remainder = isHost ? text.slice(slash + 1) : text;
  const isShort = registry === DOCKER_HUB && !remainder.includes('/');
  return { registry, remainder: isShort ? `library/${remainder}` : remainder };
}

/** `registry/repository`, without tag or digest. */
export function repositoryName({ registry, repository }: ImageReference): string {
  return `${registry}/${repository}`;
}

/** The full form, such as `docker.io/library/nginx:latest`: the key of the local store and of messages. */
export function canonicalName(reference: ImageReference): string {
  const name = repositoryName(reference);
  return reference.digest ? `${name}@${reference.digest}` : `${name}:${reference.tag ?? 'latest'}`;
}

/** The form that people write: Docker Hub and `library/` left out. */
export function familiarName(reference: ImageReference): string {
  const canonical = canonicalName(reference);
  if (reference.registry !== DOCKER_HUB) return canonical;
  const short = canonical.slice(DOCKER_HUB.length + 1);
  const official = short.startsWith('library/') && !short.slice('library/'.length).includes('/');
  return official ? short.slice('library/'.length) : short;
}

export function withDigest(reference: ImageReference, digest: Digest): ImageReference {
  return { registry: reference.registry, repository: reference.repository, digest };
}

/** What the registry's manifest endpoint is asked for: the digest if there is one, else the tag. */
export function referenceObject(reference: ImageReference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}
