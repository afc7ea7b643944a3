/**
 * Starts one container: image, environment, user, root filesystem, streams, bundle, runtime.
 *
 * Every failure is a `StartFailure` with the reason that the API shows and the words that users of Kubernetes know.
 */
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { namespaceOf, uidOf } from '#kube/object.ts';
import { isImageError } from '#runtime/image/errors.ts';
import { type ImageConfig, planProcess } from '#runtime/image/image-config.ts';
import { parseImageUser, resolveUser } from '#runtime/image/image-user.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import { type BindMount, containerSpec, type ProcessUser } from '#runtime/oci/spec.ts';
import { RuntimeError } from '#runtime/drivers/driver.ts';
import type { EnsuredImage } from '#runtime/image/image-service.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { UNSEEN_START } from '#runtime/pod/exits.ts';
import { containerEnvironment, ContainerConfigError, expand } from '#runtime/pod/environment.ts';
import { type EtcLayer, hostnameOf, makeEtcLayer } from '#runtime/pod/etc-layer.ts';
import { containerCgroup, type ContainerPaths, podPaths } from '#runtime/pod/record.ts';
import { type ContainerLifeName, releaseStreamsOf, streamsOf } from '#runtime/pod/container-streams.ts';
import { lockStart, type StartLock } from '#runtime/pod/start-lock.ts';
import type { Sandbox } from '#runtime/pod/state.ts';
import { VolumeError } from '#runtime/volumes/volume-error.ts';
import { TERMINAL_TYPE } from '#runtime/stdio/terminal.ts';
import { prepareStdio } from '#runtime/stdio/prepare.ts';
import type { ContainerStreams } from '#runtime/stdio/streams.ts';
import { containerMounts } from '#runtime/volumes/mounts.ts';
import type { VolumeSources } from '#runtime/volumes/volumes.ts';
import { mountOverlay, unmount } from '#sys/mount.ts';
import { processStat } from '#sys/proc.ts';

const LOCK_FILE = 'start.lock';
const DEFAULT_TERMINATION_LOG = '/dev/termination-log';
const NEVER = new AbortController().signal;

/** Why a container was not started. `kind` decides how it shows and when it is tried again. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly kind: 'image' | 'config' | 'runtime';
  /** Waiting reason, such as `ErrImagePull`. */
  readonly reason: string;

  constructor(kind: StartFailure['kind'], reason: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.kind = kind;
    this.reason = reason;
  }
}

export interface StartRequest extends ContainerLifeName {
  readonly sandbox: Sandbox;
  readonly volumes: VolumeSources;
  readonly log: LogFile;
  /** The agent goes, and leaves everything as it is. */
  readonly isDetached: () => boolean;
  /** Called at least once when the image is not here and is pulled. */
  readonly onPull: () => void;
  /** The image is here, unpacked. */
  readonly onImage: (image: EnsuredImage) => void;
  /** All is ready for the runtime. */
  readonly onCreated: () => void;
}

export interface StartedContainer {
  readonly pid: number;
  readonly startTicks: number;
  readonly image: EnsuredImage;
  readonly streams: ContainerStreams;
}

export async function startContainer(
  env: AgentEnvironment,
  request: StartRequest,
  signal: AbortSignal,
): Promise<StartedContainer> {
  const image = await fetchImage(env, request, signal);
  request.onImage(image);
  const paths = podPaths(env.podFolders, uidOf(request.pod)).container(request.container.name);
  using _ = await env.startTurns.take(signal);
  using lock = await takeStartLock(env, request, { paths, signal });
  await prepareBundle(env, request, { image, paths });
  request.onCreated();
  const started = await run(env, request, { image, paths, lock });
  if (signal.aborted) await discard(env, request, { paths, started });
  signal.throwIfAborted();
  return started;
}

/** What an agent that died had begun is cleared away: nobody has seen that container ready. */
async function takeStartLock(
  env: AgentEnvironment,
  request: ContainerLifeName,
  { paths, signal }: { paths: ContainerPaths; signal: AbortSignal },
): Promise<StartLock> {
  mkdirSync(paths.root, { recursive: true });
  const lock = await lockStart(path.join(paths.root, LOCK_FILE), env.clock, signal);
  try {
    if (env.driver.isKnown(request.id)) await env.driver.remove(request.id, signal);
    await releaseStreamsOf(env, request);
    return lock;
  } catch (error) {
    lock[Symbol.dispose]();
    if (signal.aborted) throw error;
    throw new StartFailure('runtime', 'StartError', error);
  }
}

/** Clears away what a start that nobody finished may have left of a pod that ends. */
export async function clearStart(
  env: AgentEnvironment,
  request: ContainerLifeName,
  signal: AbortSignal,
): Promise<void> {
  const paths = podPaths(env.podFolders, uidOf(request.pod)).container(request.container.name);
  if (!existsSync(path.join(paths.root, LOCK_FILE))) return;
  using _ = await takeStartLock(env, request, { paths, signal });
  releaseRoot(paths);
}

/** The pod ended while its container was being started. An agent that goes leaves the container to the next one. */
async function discard(
  env: AgentEnvironment,
  request: StartRequest,
  { paths, started }: { paths: ContainerPaths; started: StartedContainer },
): Promise<void> {
  started.streams[Symbol.dispose]();
  if (request.isDetached()) return;
  await env.driver.remove(request.id, NEVER);
  await releaseStreamsOf(env, request);
  releaseRoot(paths);
}

async function fetchImage(
  env: AgentEnvironment,
  { pod, container, onPull }: StartRequest,
  signal: AbortSignal,
): Promise<EnsuredImage> {
  const secrets = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
  const credentials = secrets.length === 0 ? [] : await env.lookupIn(namespaceOf(pod)).pullCredentials(secrets);
  const pullPolicy = container.imagePullPolicy ?? 'IfNotPresent';
  try {
    return await env.images.ensureImage(container.image ?? '', { pullPolicy, credentials, onProgress: onPull }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new StartFailure('image', imageReason(error), error);
  }
}

function imageReason(error: unknown): string {
  if (isImageError(error, 'InvalidImageName')) return 'InvalidImageName';
  if (isImageError(error, 'NeverPull')) return 'ErrImageNeverPull';
  return 'ErrImagePull';
}

interface Prepared {
  readonly image: EnsuredImage;
  readonly paths: ContainerPaths;
}

async function prepareBundle(env: AgentEnvironment, request: StartRequest, { image, paths }: Prepared): Promise<void> {
  try {
    const process = await planContainerProcess(env, request, image.config);
    const { pod, sandbox } = request;
    const { etcLayer: folder } = paths;
    const etc = makeEtcLayer(env, { pod, address: sandbox.address, folder, imageLayers: image.lowerDirs });
    const lowest = env.skeletons.layersFor(request.container);
    mountRoot(paths, [...etc.layers, ...image.lowerDirs, ...lowest]);
    const user = userOf(request, image.config, paths.rootfs);
    writeSpec(env, request, { paths, process, user, etc });
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const isConfig = error instanceof ContainerConfigError || error instanceof VolumeError || isImageError(error);
    throw new StartFailure('config', isConfig ? 'CreateContainerConfigError' : 'CreateContainerError', error);
  }
}

interface ContainerProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}

async function planContainerProcess(
  env: AgentEnvironment,
  { pod, container, sandbox }: StartRequest,
  image: ImageConfig,
): Promise<ContainerProcess> {
  const input = {
    pod,
    container,
    imageEnv: image.env,
    hostname: hostnameOf(pod),
    podIp: sandbox.address,
    hostIp: env.node.address,
    nodeName: env.node.name,
    allocatable: env.node.allocatable,
  };
  const variables = await containerEnvironment(input, env.lookupIn(namespaceOf(pod)));
  const known = new Map(variables.map((pair) => splitPair(pair)));
  const expandAll = (list: readonly string[] | undefined) => list?.map((text) => expand(text, known));
  const plan = planProcess(image, {
    command: expandAll(container.command),
    args: expandAll(container.args),
    workingDir: container.workingDir,
  });
  if (plan.argv.length === 0) throw new ContainerConfigError('no command specified');
  const terminal = container.tty && !known.has('TERM') ? [TERMINAL_TYPE] : [];
  return { args: plan.argv, env: [...variables, ...terminal], cwd: plan.cwd };
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** A fresh writable layer over the image's. @param lower from the uppermost down. */
function mountRoot({ rootfs, upper, work }: ContainerPaths, lower: readonly string[]): void {
  while (unmount(rootfs));
  for (const folder of [upper, work]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [rootfs, upper, work]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  mountOverlay({ target: rootfs, lower, upper, work });
  ensureTmp(rootfs);
}

/** The runtime contract wants a writable /tmp, also where an image has taken it away. */
function ensureTmp(rootfs: string): void {
  const tmp = path.join(rootfs, 'tmp');
  if (statSync(tmp, { throwIfNoEntry: false })) return;
  try {
    mkdirSync(tmp);
    chmodSync(tmp, 0o1777);
  } catch {
    // The image has something else at that name, a dangling link for one: it stays as the image has it.
  }
}

function userOf({ pod, container }: StartRequest, image: ImageConfig, rootfs: string): ProcessUser {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) refuseRoot(runAsUser, image.user);
  const { uid, gid, additionalGids } = resolveUser(rootfs, { user: image.user, runAsUser, runAsGroup });
  const groups = [
    ...additionalGids,
    ...(shared.supplementalGroups ?? []),
    ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
  ];
  return { uid, gid, additionalGids: [...new Set(groups)] };
}

function refuseRoot(runAsUser: number | undefined, imageUser: string): void {
  const user = parseImageUser(imageUser);
  if (runAsUser === 0) throw new ContainerConfigError("container's runAsUser breaks non-root policy");
  if (runAsUser !== undefined) return;
  if (user.uid === 0) throw new ContainerConfigError('container has runAsNonRoot and image will run as root');
  if (user.uid === undefined) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${user.name ?? ''}), cannot verify user is non-root`,
    );
  }
}

interface SpecParts {
  readonly paths: ContainerPaths;
  readonly process: ContainerProcess;
  readonly user: ProcessUser;
  readonly etc: EtcLayer;
}

function writeSpec(
  env: AgentEnvironment,
  { pod, container, sandbox, volumes, id }: StartRequest,
  { paths, process: plan, user, etc }: SpecParts,
): void {
  const own = podPaths(env.podFolders, uidOf(pod));
  const spec = containerSpec({
    pod,
    container,
    args: plan.args,
    env: plan.env,
    workingDir: plan.cwd,
    user,
    rootfs: paths.rootfs,
    hostname: hostnameOf(pod),
    netns: sandbox.netns,
    mounts: [
      ...etcMounts(etc, container),
      terminationMount(container, paths.terminationLog),
      ...containerMounts({
        container,
        volumes,
        readOnlyVolumes: apiVolumes(pod),
        subPathRoot: path.join(own.volumes, '.subpaths'),
        env: new Map(plan.env.map(splitPair)),
      }),
    ],
    cgroupsPath: containerCgroup(env.cgroup, pod, id),
    cgroupVersion: env.cgroups.version === 'v2' ? 2 : 1,
    arch: process.arch,
  });
  writeFileSync(path.join(paths.bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
}

/** What the manifest mounts at the same place stands instead. */
function etcMounts({ mounts }: EtcLayer, container: Container): BindMount[] {
  const taken = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  return mounts.filter(({ destination }) => !taken.has(destination));
}

function terminationMount({ terminationMessagePath }: Container, file: string): BindMount {
  // A new file for each life; the container, whoever it runs as, may write it.
  writeFileSync(file, '');
  chmodSync(file, 0o666);
  return { source: file, destination: terminationMessagePath ?? DEFAULT_TERMINATION_LOG, access: 'read-write' };
}

/** Volumes that show API objects are never written by a container. */
function apiVolumes({ spec }: Pod): ReadonlySet<string> {
  const shown = (spec.volumes ?? []).filter(
    ({ configMap, secret, projected, downwardAPI }) => configMap ?? secret ?? projected ?? downwardAPI,
  );
  return new Set(shown.map(({ name }) => name));
}

async function run(
  env: AgentEnvironment,
  { pod, container, id, log }: StartRequest,
  { image, paths, lock }: Prepared & { lock: StartLock },
): Promise<StartedContainer> {
  using stdio = await prepareStdio(streamsOf(env, { pod, container, id }, log));
  try {
    const { stdin, stdout, stderr, consoleSocket } = stdio;
    const streams = { stdin, stdout, stderr, consoleSocket };
    const pid = await env.driver.start({ id, bundle: paths.bundle, ...streams, lock: lock.fd });
    const startTicks = processStat(pid)?.startTicks ?? UNSEEN_START;
    return { pid, startTicks, image, streams: await stdio.started() };
  } catch (error) {
    // What cannot be removed now is by the next start.
    if (env.driver.isKnown(id)) await env.driver.remove(id, NEVER).catch(() => undefined);
    await stdio.failed();
    releaseRoot(paths);
    throw new StartFailure('runtime', 'StartError', error);
  }
}

/** Takes the root filesystem down once the container has ended. */
export function releaseRoot({ rootfs, upper, work }: ContainerPaths): void {
  if (!existsSync(rootfs)) return;
  while (unmount(rootfs));
  for (const folder of [upper, work]) rmSync(folder, { recursive: true, force: true });
}
