/** Buildah with a storage of its own: makes images and says what their file systems should look like. Needs root. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export class Buildah {
  readonly #options: readonly string[];

  /** `folder` is its own; it is to be deleted with `dispose` before. */
  constructor(folder: string) {
    this.#options = [
      '--root',
      path.join(folder, 'storage'),
      '--runroot',
      path.join(folder, 'run'),
      '--storage-driver',
      'vfs',
    ];
  }

  /** The trimmed output of `buildah COMMAND ARGS…`. */
  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('buildah', [...this.#options, ...args]);
    return stdout.trim();
  }

  /** Makes an image of what `fill` does to the root directory of a container from `base`. */
  async commit(
    image: string,
    base: string,
    fill: (root: string) => void,
    config: readonly string[] = [],
  ): Promise<void> {
    const container = await this.run('from', base);
    fill(await this.run('mount', container));
    await this.run('umount', container);
    if (config.length > 0) await this.run('config', ...config, container);
    await this.run('commit', '--quiet', container, image);
    await this.run('rm', container);
  }

  /** The root directory of a new container from the image. */
  async mount(image: string): Promise<string> {
    return this.run('mount', await this.run('from', image));
  }

  /** Pushes with credentials or formats as further options. */
  async push(image: string, target: string, ...options: readonly string[]): Promise<void> {
    await this.run('push', '--quiet', '--tls-verify=false', ...options, image, target);
  }

  async dispose(): Promise<void> {
    await this.run('rm', '--all');
    await this.run('rmi', '--all', '--force');
  }
}
