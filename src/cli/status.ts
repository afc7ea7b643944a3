/** `pinnace status`: what runs, where it listens, whether it is ready. Exit code 0 when it is, 1 when not. */
import type { CliContext } from '#cli/context.ts';
import { renderDuration } from '#cli/output.ts';
import { askReady, portOf, readPlatformAnywhere, readSettings, runningProcesses, urlOf } from '#cli/platform.ts';
import type { PlatformSettings, PlatformState, ProcessState } from '#protocol/platform.ts';
import { reachableAddress, statePaths } from '#protocol/platform.ts';

export interface StatusOptions {
  readonly stateDir: string;
  readonly output: 'text' | 'json';
}

/** The shape of `status -o json`; members are only ever added. */
export interface StatusDocument {
  readonly ready: boolean;
  readonly version: string;
  readonly stateDir: string;
  readonly api: { readonly url: string; readonly detail: string };
  readonly gateway: { readonly http: string; readonly https: string };
  readonly processes: readonly Pick<ProcessState, 'name' | 'pid' | 'restarts' | 'since'>[];
}

export async function status(context: CliContext, options: StatusOptions): Promise<number> {
  const document = await statusDocument(context, options.stateDir);
  if (options.output === 'json') context.out.json(document);
  else print(context, document);
  return document.ready ? 0 : 1;
}

async function statusDocument({ version }: CliContext, stateDir: string): Promise<StatusDocument> {
  const paths = statePaths(stateDir);
  const settings = readSettings(paths);
  const platform = readPlatformAnywhere(paths);
  const processes = runningProcesses(platform);
  const isUp = processes.length > 0;
  const { ready, detail } = isUp ? await askReady(paths, version) : { ready: false, detail: 'not running' };
  return {
    ready: ready && processes.length === platform?.processes.length,
    version: platform?.version ?? version,
    stateDir,
    api: { url: addressOf('https', settings, platform, 'api'), detail },
    gateway: {
      http: addressOf('http', settings, platform, 'http'),
      https: addressOf('https', settings, platform, 'https'),
    },
    processes: processes.map(({ name, pid, restarts, since }) => ({ name, pid, restarts, since })),
  };
}

function addressOf(
  scheme: 'http' | 'https',
  settings: PlatformSettings | undefined,
  platform: PlatformState | undefined,
  listener: 'api' | 'http' | 'https',
): string {
  const port = portOf(platform, listener);
  return settings && port !== undefined ? urlOf(scheme, reachableAddress(settings.listenAddress), port) : '';
}

function print({ out, clock }: CliContext, document: StatusDocument): void {
  const state = document.ready ? out.good('ready') : out.bad(`not ready (${document.api.detail})`);
  out.line(`pinnace ${document.version} in ${document.stateDir}: ${state}`);
  if (document.processes.length === 0) return;
  out.line(`  API      ${document.api.url}`);
  out.line(`  gateway  ${document.gateway.http}  ${document.gateway.https}`);
  out.line();
  const rows = document.processes.map(({ name, pid, restarts, since }) => [
    name,
    String(pid),
    String(restarts),
    renderDuration(clock.now() - since),
  ]);
  out.table(['PROCESS', 'PID', 'RESTARTS', 'AGE'], rows);
}
