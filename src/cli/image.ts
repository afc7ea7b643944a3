/** `pinnace image load|pull|list|rm`: the local image store, shared with a running platform. */
import { existsSync, readFileSync } from 'node:fs';
import { type CliContext, CliError } from '#cli/context.ts';
import { renderBytes, renderDuration } from '#cli/output.ts';
import { type StatePaths, statePaths } from '#protocol/platform.ts';
import { type ImageListing, listImages, loadImages, pullImage, removeImages } from '#runtime/image/commands.ts';
import { type CredentialEntry, entriesOfConfig } from '#runtime/image/credentials.ts';
import { isImageError } from '#runtime/image/errors.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import { parseReference } from '#runtime/image/reference.ts';
import { isStore, storeLayout } from '#runtime/image/store/layout.ts';
import { imagesInUse } from '#runtime/pod/record.ts';

const SHORT_DIGEST = 'sha256:'.length + 12;
const STDIN = 0;

interface ImageOptions {
  readonly stateDir: string;
}

/** @param source path of an archive, or `-` for standard input. */
export async function imageLoad(context: CliContext, source: string, options: ImageOptions & { name?: string }) {
  if (source !== '-' && !existsSync(source)) throw new CliError(`there is no file ${source}`);
  return withImages(context, options, async (service) => {
    const from = source === '-' ? STDIN : source;
    const loaded = await loadImages(service, from, { name: options.name }, context.signal);
    for (const { name, digest } of loaded) context.out.line(`loaded ${name} (${digest})`);
  });
}

export interface PullOptions extends ImageOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Docker's `config.json`, whose credentials are used when no others are given. */
  readonly dockerConfig: string;
}

export function imagePull(context: CliContext, image: string, options: PullOptions) {
  return withImages(context, options, async (service) => {
    const credentials = credentialsOf(image, options);
    const { name, digest, size, pull } = await pullImage(service, image, { credentials }, context.signal);
    const took = pull ? ` in ${renderDuration(pull.pulledMs)}` : '';
    context.out.line(`pulled ${name} (${digest}): ${renderBytes(size)}${took}`);
  });
}

/** Leaves a directory that has no images as it is. */
export async function imageList(context: CliContext, options: ImageOptions & { output: 'text' | 'json' }) {
  const show = (images: readonly ImageListing[]) => showImages(context, images, options.output);
  if (hasImages(options)) return withImages(context, options, async (service) => show(await listImages(service)));
  show([]);
  return 0;
}

function showImages({ out, clock }: CliContext, images: readonly ImageListing[], output: 'text' | 'json'): void {
  if (output === 'json') return out.json(images);
  const rows = images.map(({ name, digest, size, addedAt }) => [
    name,
    digest.slice(0, SHORT_DIGEST),
    renderBytes(size),
    renderDuration(clock.now() - addedAt),
  ]);
  out.table(['IMAGE', 'DIGEST', 'SIZE', 'AGE'], rows);
}

export async function imageRemove(
  context: CliContext,
  images: readonly string[],
  options: ImageOptions & { force: boolean },
) {
  if (!hasImages(options)) throw new CliError(`there are no images in ${options.stateDir}`);
  return withImages(context, options, async (service, paths) => {
    const force = options.force ? 'forced' : 'unless in use';
    const { bytes } = await removeImages(service, images, { inUse: imagesInUse(paths), force }, context.signal);
    context.out.line(`removed ${images.join(', ')}: ${renderBytes(bytes)} freed`);
  });
}

function hasImages({ stateDir }: ImageOptions): boolean {
  return isStore(storeLayout(statePaths(stateDir).images));
}

async function withImages(
  { clock, logger, env }: CliContext,
  { stateDir }: ImageOptions,
  work: (service: ImageService, paths: StatePaths) => Promise<void>,
): Promise<number> {
  const paths = statePaths(stateDir);
  try {
    await using service = await ImageService.open({
      root: paths.images,
      clock,
      logger,
      registry: { proxyEnv: env },
    });
    await work(service, paths);
    return 0;
  } catch (error) {
    if (isImageError(error)) throw new CliError(error.message, { cause: error });
    throw error;
  }
}

function credentialsOf(image: string, { username, password = '', dockerConfig }: PullOptions): CredentialEntry[] {
  const parsed = parseReference(image);
  if (username === undefined || !('reference' in parsed)) return entriesOfConfig(readDockerConfig(dockerConfig));
  return [{ location: parsed.reference.registry, credential: { username, password } }];
}

function readDockerConfig(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CliError(`${file} is not the JSON that docker login writes`, { cause: error });
  }
}
