/**
 * The environment of a container: the image's, Services', `envFrom`, `env` with `valueFrom`, and `$(NAME)` in values.
 *
 * Later entries win over earlier ones of the same name. A reference to something that is not there is a
 * `ContainerConfigError` in the kubelet's words, unless it is optional.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { EnvVar } from '#kube/kinds/core/env.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import { isEnvVarName } from '#runtime/pod/env-names.ts';
import { podField, resourceField } from '#runtime/pod/fields.ts';

/** Shown as waiting reason `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

/** Looks up objects in the pod's namespace; undefined when there is no such object. */
export interface Lookup {
  configMap(name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Decoded. */
  secret(name: string): Promise<Readonly<Record<string, Buffer>> | undefined>;
  services(): readonly Service[];
}

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  /** `NAME=value`, as the image has them. */
  readonly imageEnv: readonly string[];
  readonly hostname: string;
  /** Known once the sandbox is there. */
  readonly podIp: string;
  readonly hostIp: string;
  readonly nodeName: string;
  /** Allocatable cpu and memory, for resource fields without a limit. */
  readonly allocatable: Readonly<Record<string, string>>;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `NAME=value` for each variable, in the order in which names first appeared. */
export async function containerEnvironment(input: EnvironmentInput, lookup: Lookup): Promise<string[]> {
  const { pod, container, hostname, imageEnv } = input;
  const env = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', hostname],
  ]);
  for (const pair of imageEnv) {
    const equals = pair.indexOf('=');
    if (equals > 0) env.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const links = serviceLinks(pod, lookup.services());
  for (const [name, value] of links) env.set(name, value);
  await addSources(env, container, lookup);
  const own = new Map(links);
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, { input, lookup, known: own });
    if (value === undefined) continue;
    own.set(variable.name, value);
    env.set(variable.name, value);
  }
  return [...env].map(([name, value]) => `${name}=${value}`);
}

async function addSources(env: Map<string, string>, container: Container, lookup: Lookup): Promise<void> {
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const values = configMapRef
      ? await lookup.configMap(configMapRef.name ?? '')
      : texts(await lookup.secret(secretRef?.name ?? ''));
    const isOptional = configMapRef?.optional ?? secretRef?.optional ?? false;
    if (!values && !isOptional)
      throw missing(configMapRef ? 'configmap' : 'secret', (configMapRef ?? secretRef)?.name ?? '');
    for (const [key, value] of Object.entries(values ?? {})) {
      if (isEnvVarName(prefix + key)) env.set(prefix + key, value);
    }
  }
}

function texts(secret: Readonly<Record<string, Buffer>> | undefined): Record<string, string> | undefined {
  return secret && Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, value.toString('utf8')]));
}

interface ValueContext {
  readonly input: EnvironmentInput;
  readonly lookup: Lookup;
  readonly known: ReadonlyMap<string, string>;
}

/** Undefined when an optional reference leads nowhere: the variable is then not set. */
async function valueOf(
  { value, valueFrom }: EnvVar,
  { input, lookup, known }: ValueContext,
): Promise<string | undefined> {
  if (!valueFrom) return expand(value ?? '', known);
  if (valueFrom.fieldRef) return podField(input, valueFrom.fieldRef.fieldPath);
  if (valueFrom.resourceFieldRef) return resourceField(input, valueFrom.resourceFieldRef);
  if (valueFrom.configMapKeyRef) {
    const { name = '', key, optional } = valueFrom.configMapKeyRef;
    const data = await lookup.configMap(name);
    return pick(data, { what: 'configmap', name, key, isOptional: optional ?? false });
  }
  if (valueFrom.secretKeyRef) {
    const { name = '', key, optional } = valueFrom.secretKeyRef;
    const data = texts(await lookup.secret(name));
    return pick(data, { what: 'secret', name, key, isOptional: optional ?? false });
  }
  return '';
}

interface Picked {
  readonly what: 'configmap' | 'secret';
  readonly name: string;
  readonly key: string;
  readonly isOptional: boolean;
}

function pick(
  data: Readonly<Record<string, string>> | undefined,
  { what, name, key, isOptional }: Picked,
): string | undefined {
  const value = data?.[key];
  if (value !== undefined || isOptional) return value;
  if (!data) throw missing(what, name);
  const kind = what === 'configmap' ? 'ConfigMap' : 'Secret';
  throw new ContainerConfigError(`couldn't find key ${key} in ${kind} ${name}`);
}

function missing(what: 'configmap' | 'secret', name: string): ContainerConfigError {
  return new ContainerConfigError(`${what} "${name}" not found`);
}

/** `$(NAME)` becomes the variable's value, `$$(NAME)` stays `$(NAME)`, an unknown name is left as it is. */
export function expand(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) => {
    if (match === '$$') return '$';
    return name === undefined ? match : (known.get(name) ?? match);
  });
}

/**
 * Variables for Services, as Docker's links once had them: always those of `default/kubernetes`, and those of the
 * pod's own namespace unless `enableServiceLinks: false`.
 */
export function serviceLinks(pod: Pod, services: readonly Service[]): [name: string, value: string][] {
  const own =
    pod.spec.enableServiceLinks === false
      ? []
      : services.filter(({ metadata }) => metadata.namespace === pod.metadata.namespace);
  const api = services.filter(({ metadata }) => metadata.namespace === 'default' && metadata.name === 'kubernetes');
  return [...new Set([...api, ...own])].flatMap(linksOf);
}

function linksOf({ metadata, spec }: Service): [string, string][] {
  const [first] = spec.ports ?? [];
  const { clusterIP } = spec;
  if (!first || !clusterIP || clusterIP === 'None') return [];
  const prefix = (metadata.name ?? '').toUpperCase().replaceAll('-', '_');
  const links: [string, string][] = [
    [`${prefix}_SERVICE_HOST`, clusterIP],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
  ];
  for (const { name, port } of spec.ports ?? []) {
    if (name) links.push([`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll('-', '_')}`, String(port)]);
  }
  links.push([`${prefix}_PORT`, `${(first.protocol ?? 'TCP').toLowerCase()}://${clusterIP}:${first.port}`]);
  for (const { port, protocol = 'TCP' } of spec.ports ?? []) {
    const link = `${prefix}_PORT_${port}_${protocol}`;
    links.push([link, `${protocol.toLowerCase()}://${clusterIP}:${port}`]);
    links.push([`${link}_PROTO`, protocol.toLowerCase()], [`${link}_PORT`, String(port)], [`${link}_ADDR`, clusterIP]);
  }
  return links;
}
