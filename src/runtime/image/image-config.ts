/**
 * The image configuration: what an image says of the process that it is for, and how Kubernetes' `command`, `args`,
 * `env` and `workingDir` go on top of it.
 */
import { isObject } from '#base/json.ts';
import { type Digest, isDigest } from '#runtime/image/digest.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { parseJson } from '#runtime/image/manifest.ts';

export interface ExposedPort {
  readonly port: number;
  readonly protocol: string;
}

export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  /** RFC 3339, as the builder wrote it. */
  readonly created: string | undefined;
  /** Lowest first. */
  readonly diffIds: readonly Digest[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value` each. */
  readonly env: readonly string[];
  /** `user[:group]`, names or numbers; empty means root. */
  readonly user: string;
  readonly workingDir: string;
  readonly exposedPorts: readonly ExposedPort[];
  /** Paths that the image declares as volumes. */
  readonly volumes: readonly string[];
  /** A signal's name or number; absent means SIGTERM. */
  readonly stopSignal: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const value = parseJson(bytes, 'image configuration');
  const rootfs = isObject(value['rootfs']) ? value['rootfs'] : {};
  const diffIds = rootfs['diff_ids'] ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) throw malformed('rootfs.diff_ids is not a list of digests');
  const config = isObject(value['config']) ? value['config'] : {};
  return {
    os: textOf(value['os'], 'os') || 'linux',
    architecture: textOf(value['architecture'], 'architecture'),
    created: textOf(value['created'], 'created') || undefined,
    diffIds,
    entrypoint: listOf(config['Entrypoint'], 'config.Entrypoint'),
    cmd: listOf(config['Cmd'], 'config.Cmd'),
    env: listOf(config['Env'], 'config.Env'),
    user: textOf(config['User'], 'config.User'),
    workingDir: textOf(config['WorkingDir'], 'config.WorkingDir'),
    exposedPorts: Object.keys(membersOf(config['ExposedPorts'])).flatMap(portOf),
    volumes: Object.keys(membersOf(config['Volumes'])),
    stopSignal: textOf(config['StopSignal'], 'config.StopSignal') || undefined,
    labels: labelsOf(config['Labels']),
  };
}

function textOf(value: unknown, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string' || value.includes('\0')) throw malformed(`${where} is not a string`);
  return value;
}

function listOf(value: unknown, where: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(`${where} is not a list of strings`);
  return value.map((entry: unknown, at) => {
    if (typeof entry !== 'string') throw malformed(`${where} is not a list of strings`);
    return textOf(entry, `${where}[${at}]`);
  });
}

function membersOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** `8080/tcp`, or `8080`; what is neither is left out, since nothing depends on it. */
function portOf(text: string): ExposedPort[] {
  const match = /^(\d{1,5})(?:\/([a-z]+))?$/i.exec(text);
  const port = Number(match?.[1]);
  return match && port >= 1 && port <= 65_535 ? [{ port, protocol: (match[2] ?? 'tcp').toUpperCase() }] : [];
}

function labelsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(membersOf(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

function malformed(problem: string): ImageError {
  return new ImageError('MalformedImage', `image configuration: ${problem}`);
}

/** What a container of a Pod says of its process; variables in `command` and `args` are expanded already. */
export interface ContainerProcess {
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly workingDir?: string | undefined;
}

export interface ProcessPlan {
  /** Empty when neither the container nor the image names a command. */
  readonly argv: readonly string[];
  /** `NAME=value` each; the container's after the image's, each name once. */
  readonly env: readonly string[];
  readonly cwd: string;
}

/** `command` replaces the image's entry point and its default arguments with it; `args` alone keeps the entry point. */
export function planProcess(image: ImageConfig, container: ContainerProcess): ProcessPlan {
  const { command = [], args = [], env = [], workingDir } = container;
  const cwd = workingDir || image.workingDir || '/';
  return { argv: argvOf(image, command, args), env: mergeEnv(image.env, env), cwd };
}

function argvOf(image: ImageConfig, command: readonly string[], args: readonly string[]): string[] {
  if (command.length > 0) return [...command, ...args];
  return [...image.entrypoint, ...(args.length > 0 ? args : image.cmd)];
}

function mergeEnv(image: readonly string[], container: NonNullable<ContainerProcess['env']>): string[] {
  const merged = new Map<string, string>();
  for (const entry of image) {
    const equals = entry.indexOf('=');
    // An entry without a value is no variable.
    if (equals > 0) merged.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  for (const { name, value } of container) merged.set(name, value);
  return [...merged].map(([name, value]) => `${name}=${value}`);
}
