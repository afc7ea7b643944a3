/** What the steps are given. */
import type { Clock } from '#base/clock.ts';
import type { StatusDocument } from '#cli/status.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { statePaths } from '#protocol/platform.ts';
import { Service } from '#knative/kinds/service.ts';
import { Cluster, NAMESPACE } from './cluster.ts';
import { DemoError } from './errors.ts';
import { Requests } from './requests.ts';
import type { Screen } from './screen.ts';
import type { CommandResult, Shell } from './shell.ts';

export interface Stage {
  /** The clone's top folder. */
  readonly root: string;
  readonly stateDir: string;
  readonly screen: Screen;
  readonly shell: Shell;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What was found on this machine. */
export interface Found {
  readonly hasKubectl: boolean;
  /** The OCI runtime's name. */
  readonly runtime: string;
}

/** The stage once its platform runs. */
export interface Tour extends Stage, Found {
  readonly cluster: Cluster;
  readonly requests: Requests;
}

export const SERVICE = 'greeter';

export async function enterTour(stage: Stage, found: Found): Promise<Tour & Disposable> {
  const access = loadKubeconfig(statePaths(stage.stateDir).kubeconfig);
  const transport = new HttpTransport({ access, userAgent: 'pinnace-demo' });
  const { gateway } = await platformStatus(stage);
  const requests = new Requests({ clock: stage.clock, gateway: gateway.http });
  const close = () => {
    requests[Symbol.dispose]();
    transport[Symbol.dispose]();
  };
  const cluster = new Cluster({ ...stage, ...found, transport });
  return { ...stage, ...found, cluster, requests, [Symbol.dispose]: close };
}

export async function platformStatus({ shell, signal }: Stage): Promise<StatusDocument> {
  const { stdout } = await shell.run('./bin/pinnace status -o json', signal);
  return JSON.parse(stdout) as StatusDocument;
}

/** Shows a command, runs it and shows its output; a command that fails ends the demo. */
export async function shown({ screen, shell, signal }: Stage, command: string): Promise<CommandResult> {
  screen.command(command);
  const result = await shell.run(command, signal);
  screen.output(result.text);
  if (result.code !== 0) throw new DemoError(`the command ended with exit code ${result.code}`);
  return result;
}

/** Shows the request as one would type it, sends it and shows the body; any status but 200 ends the demo. */
export async function curl({ screen, requests, signal }: Tour, url: string) {
  screen.command(await requests.command(url, '', signal));
  const answer = await requests.get(url, {}, signal);
  screen.output(answer.body);
  if (answer.status !== 200) throw new DemoError(`it answered ${answer.status}`);
  return answer;
}

/** The Service's own URL, or that of a tag. */
export async function urlOf({ cluster }: Tour, tag?: string): Promise<string> {
  const { status } = await cluster.client.get(Service, { namespace: NAMESPACE, name: SERVICE });
  const url = tag === undefined ? status?.url : status?.traffic?.find((target) => target.tag === tag)?.url;
  if (url === undefined) throw new DemoError(`the Service has no URL${tag === undefined ? '' : ` for the tag ${tag}`}`);
  return url;
}
