/**
 * What the demo asks of the API: with kubectl where there is one, else the same requests over HTTPS by our own client.
 * Either way the command is shown as one would type it, and then what came of it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Clock } from '#base/clock.ts';
import { renderTable } from '#cli/output.ts';
import { Client } from '#client/client.ts';
import type { HttpTransport } from '#client/http-transport.ts';
import { resourcePath } from '#client/paths.ts';
import { Service } from '#knative/kinds/service.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { DemoError } from './errors.ts';
import type { Screen } from './screen.ts';
import type { Shell } from './shell.ts';

export const NAMESPACE = 'default';
const KINDS = { ksvc: Service, revisions: Revision, pods: Pod, cm: ConfigMap } as const;
const READY_LIMIT_S = 30;
const POLL_MS = 20;

type KindName = keyof typeof KINDS;

export type Action =
  | { readonly verb: 'apply' | 'delete'; readonly file: string }
  | { readonly verb: 'wait'; readonly service: string }
  | { readonly verb: 'get'; readonly kind: KindName; readonly name?: string }
  | { readonly verb: 'patch'; readonly kind: 'ksvc'; readonly name: string; readonly file: string }
  | {
      readonly verb: 'patch';
      readonly kind: 'cm';
      readonly name: string;
      readonly data: Readonly<Record<string, string>>;
    };

export interface ClusterOptions {
  readonly root: string;
  readonly screen: Screen;
  readonly shell: Shell;
  readonly clock: Clock;
  readonly transport: HttpTransport;
  readonly hasKubectl: boolean;
}

export class Cluster {
  readonly client: Client;
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.client = new Client(options.transport);
  }

  /** Shows the command, carries it out and shows what it printed. */
  async do(action: Action, signal: AbortSignal): Promise<void> {
    const { screen, shell, hasKubectl } = this.#options;
    const command = commandLine(action);
    screen.command(command);
    if (!hasKubectl) return screen.output(await this.#overHttps(action, signal));
    const { code, text } = await shell.run(command, signal);
    screen.output(text);
    if (code !== 0) throw new DemoError(`kubectl ended with exit code ${code}`);
  }

  async #overHttps(action: Action, signal: AbortSignal): Promise<string> {
    switch (action.verb) {
      case 'apply':
        return this.#apply(this.#read(action.file));
      case 'patch':
        return this.#patch(action);
      case 'wait':
        return this.#untilReady(action.service, signal);
      case 'get':
        return this.#table(action);
      default:
        return this.#delete(this.#read(action.file), signal);
    }
  }

  #read(file: string): Service {
    return parse(readFileSync(path.join(this.#options.root, file), 'utf8')) as Service;
  }

  async #apply(object: Service): Promise<string> {
    const ref = refOf(object);
    const isThere = (await this.client.find(Service, ref)) !== undefined;
    await this.client.patch(Service, ref, { type: 'apply', body: object }, { fieldManager: 'pinnace-demo' });
    return `service.serving.knative.dev/${ref.name} ${isThere ? 'configured' : 'created'}`;
  }

  async #patch(action: Extract<Action, { verb: 'patch' }>): Promise<string> {
    const { name } = action;
    if (action.kind === 'cm') {
      const body = { data: action.data };
      await this.client.patch(ConfigMap, { namespace: 'knative-serving', name }, { type: 'merge', body });
      return `configmap/${name} patched`;
    }
    const body = this.#read(action.file);
    await this.client.patch(Service, { namespace: NAMESPACE, name }, { type: 'merge', body });
    return `service.serving.knative.dev/${name} patched`;
  }

  async #untilReady(name: string, signal: AbortSignal): Promise<string> {
    const { clock } = this.#options;
    const deadline = clock.monotonicMs() + READY_LIMIT_S * 1_000;
    while (!isReady(await this.client.get(Service, { namespace: NAMESPACE, name }))) {
      if (clock.monotonicMs() > deadline) throw new DemoError(`${name} was not ready within ${READY_LIMIT_S} s`);
      await clock.sleep(POLL_MS, signal);
    }
    return `service.serving.knative.dev/${name} condition met`;
  }

  async #delete(object: Service, signal: AbortSignal): Promise<string> {
    const ref = refOf(object);
    await this.client.delete(Service, ref);
    while ((await this.client.find(Service, ref)) !== undefined) await this.#options.clock.sleep(POLL_MS, signal);
    return `service.serving.knative.dev "${ref.name}" deleted`;
  }

  /** The table that the server makes for kubectl. */
  async #table({ kind, name }: Extract<Action, { verb: 'get' }>): Promise<string> {
    const { status, body } = await this.#options.transport.send({
      method: 'GET',
      path: resourcePath({ kind: KINDS[kind], namespace: NAMESPACE, name }),
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    if (status !== 200) throw new DemoError(`the API answered ${status}: ${body.trim()}`);
    const { columnDefinitions, rows } = JSON.parse(body) as Table;
    const shown = columnDefinitions.flatMap(({ priority }, at) => (priority === 0 ? [at] : []));
    if (rows === null || rows.length === 0) return `No resources found in ${NAMESPACE} namespace.`;
    return renderTable(
      shown.map((at) => columnDefinitions[at]?.name.toUpperCase() ?? ''),
      rows.map(({ cells }) => shown.map((at) => String(cells[at] ?? ''))),
    );
  }
}

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly (string | number | boolean | null)[] }[] | null;
}

function commandLine(action: Action): string {
  switch (action.verb) {
    case 'apply':
    case 'delete':
      return `kubectl ${action.verb} -f ${action.file}`;
    case 'wait':
      return `kubectl wait ksvc/${action.service} --for=condition=Ready --timeout=${READY_LIMIT_S}s`;
    case 'get':
      return ['kubectl get', action.kind, ...(action.name === undefined ? [] : [action.name])].join(' ');
    default:
      return patchCommand(action);
  }
}

function patchCommand(action: Extract<Action, { verb: 'patch' }>): string {
  if (action.kind === 'ksvc') return `kubectl patch ksvc ${action.name} --type merge --patch-file ${action.file}`;
  const body = JSON.stringify({ data: action.data });
  return `kubectl patch cm ${action.name} -n knative-serving --type merge \\\n  -p '${body}'`;
}

/** Ready in its present generation. */
export function isReady({ metadata, status }: Service): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && status?.observedGeneration === metadata.generation;
}

function refOf(object: Service): { namespace: string; name: string } {
  return { namespace: object.metadata.namespace ?? NAMESPACE, name: object.metadata.name ?? '' };
}
