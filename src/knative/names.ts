/**
 * The names of what the controllers make. Names are at most 63 characters long and differ whenever the parents do.
 */
import { createHash } from 'node:crypto';

/** Longest name of an object that becomes a host name or a label. */
const LONGEST_NAME = 63;
const MD5_HEX_LENGTH = 32;

/**
 * `parent` + `suffix`; where that is too long, the parent is cut and a hash of it put between. A suffix too long for
 * that is cut as well, and then the hash is of both.
 */
export function childName(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= LONGEST_NAME) return parent + suffix;
  const room = LONGEST_NAME - MD5_HEX_LENGTH;
  if (suffix.length < room) return parent.slice(0, room - suffix.length) + md5(parent) + suffix;
  const head = parent.slice(0, room) + md5(parent + suffix);
  return (head + suffix.slice(0, LONGEST_NAME - head.length)).replace(/[^a-z0-9]+$/i, '');
}

/** The name of the Revision that a Configuration makes at a generation, unless the template has one. */
export function revisionName(configuration: string, generation: number): string {
  return childName(configuration, `-${String(generation).padStart(5, '0')}`);
}

export function deploymentName(revision: string): string {
  return childName(revision, '-deployment');
}

export function imageCacheName(revision: string, container: string): string {
  return childName(childName(revision, '-cache'), `-${container}`);
}

/** The Service of a ServerlessService that always leads to its pods. */
export function privateServiceName(serverlessService: string): string {
  return childName(serverlessService, '-private');
}

/** The Ingress of a Route or DomainMapping. */
export function ingressName(parent: string): string {
  return childName(parent, '');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
