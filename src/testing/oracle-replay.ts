/**
 * Replays the steps of a recorded case and says how what happens differs from the recording. Where it happens is the
 * `OracleTarget`'s affair: the whole control plane on a fake clock (`oracle-world.ts`) or a platform over HTTPS
 * (`oracle-cluster.ts`).
 */
import { isObject } from '#base/json.ts';
import {
  fillIn,
  type OracleAnswer,
  type OracleCase,
  type OracleCondition,
  oracleDifferences,
  type OracleRequest,
  type OracleSettle,
  type OracleStep,
  readPointer,
  rulesOf,
} from '#testing/oracle.ts';
import { Normaliser } from '#testing/oracle-normaliser.ts';

export interface OracleTarget {
  /** Made for this case alone. */
  readonly namespace: string;
  /** Who the server takes us for. */
  readonly user: string;
  send(request: OracleRequest): Promise<OracleAnswer>;
  /** Milliseconds. */
  now(): number;
  pass(ms: number): Promise<void>;
  /** Whether `check` came true in time. */
  waitFor(check: () => Promise<boolean>, timeoutMs: number): Promise<boolean>;
}

const MS_PER_S = 1_000;
const TIMEOUT_S = 60;
const QUIET_S = 2;
const LOOK_MS = 400;
const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const KEPT_HEADERS = ['content-type', 'warning'];

/** Lost races between controllers are noise of one run. */
const RACE =
  /Operation cannot be fulfilled|the object has been modified|endpoints "[^"]*" not found|failed to add route annotation/;

/** One line per difference; none when everything is as recorded. `ignore` adds to what the case does not compare. */
export async function replayCase(
  target: OracleTarget,
  test: OracleCase,
  ignore: readonly string[] = [],
): Promise<string[]> {
  const replay = new Replay(target);
  const differences: string[] = [];
  for (const [index, step] of test.steps.entries()) {
    const result = await replay.step(step);
    const rules = rulesOf(test, step);
    const found = oracleDifferences(step.recorded, result, { ...rules, ignore: [...rules.ignore, ...ignore] });
    differences.push(...found.map((text) => `step ${index + 1} ${text}`));
  }
  return differences;
}

interface Listed {
  readonly resource: string;
  readonly list: { kind?: string; apiVersion?: string; items?: readonly Item[] };
}

type Item = Record<string, unknown> & { metadata: { name: string; uid: string; resourceVersion: string } };

class Replay {
  readonly #target: OracleTarget;
  readonly #normaliser: Normaliser;
  readonly #saved: Record<string, string>;

  constructor(target: OracleTarget) {
    this.#target = target;
    this.#normaliser = new Normaliser(target);
    this.#saved = { ns: target.namespace };
  }

  async step(step: OracleStep): Promise<unknown> {
    const { request, table, settle, pause, recorded } = fillIn(step, this.#saved);
    if (request) return this.#request(request);
    if (table) return this.#table(table.path);
    if (settle) return this.#settle(settle, recorded);
    if (!pause) throw new Error(`no such step: ${Object.keys(step).join(', ')}`);
    await this.#target.pass(pause.seconds * MS_PER_S);
    return {};
  }

  async #request(request: OracleRequest): Promise<unknown> {
    const { status, headers, body } = await this.#target.send(request);
    const prefix = readPointer(request.body, '/metadata/generateName');
    if (typeof prefix === 'string') this.#normaliser.expectGenerated(prefix);
    this.#normaliser.learn(body);
    for (const [name, at] of Object.entries(request.save ?? {})) this.#saved[name] = String(readPointer(body, at));
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT_HEADERS.includes(name)));
    return this.#normaliser.normalise({ status, headers: kept, body });
  }

  /** The rows of a Table by name, without ages. */
  async #table(path: string): Promise<unknown> {
    const { status, body } = await this.#target.send({ method: 'GET', path, headers: { accept: AS_TABLE } });
    if (!isObject(body) || body['kind'] !== 'Table') return this.#normaliser.normalise({ status, body });
    const { columnDefinitions: columns, rows = [] } = body as unknown as {
      columnDefinitions: { name: string }[];
      rows?: { cells: unknown[] }[];
    };
    const isAge = (index: number) => columns[index]?.name === 'Age';
    const cells = rows.map((row) => row.cells.map((cell, index) => (isAge(index) ? '<age>' : cell)));
    cells.sort((left, right) => (String(left[0]) < String(right[0]) ? -1 : 1));
    return this.#normaliser.normalise({ status, columns, rows: cells });
  }

  async #settle(settle: OracleSettle, recorded: unknown): Promise<unknown> {
    const { until = [], kinds = [], quiet = QUIET_S, timeout = TIMEOUT_S } = settle;
    const deadline = this.#target.now() + timeout * MS_PER_S;
    const unmet = await this.#meet(until, deadline);
    let lists = await this.#rest(kinds, quiet * MS_PER_S, deadline);
    const awaited = readPointer(recorded, '/objects/events');
    if (isObject(awaited)) {
      // Events come behind the objects that they tell of.
      await this.#target.waitFor(async () => {
        if (hasEvents(lists, awaited)) return true;
        lists = await this.#listAll(kinds);
        return false;
      }, deadline - this.#target.now());
    }
    for (const { list } of lists) this.#normaliser.learn(list);
    const objects = Object.fromEntries(lists.map(({ resource, list }) => [resource, this.#tree(resource, list)]));
    const late = unmet.length > 0 ? { timedOut: this.#normaliser.normalise(unmet) } : {};
    return kinds.length === 0 ? late : { ...late, objects: this.#normaliser.normalise(objects) };
  }

  /** The conditions that did not come true; each has to only once. */
  async #meet(conditions: readonly OracleCondition[], deadline: number): Promise<OracleCondition[]> {
    const unmet = new Set(conditions);
    await this.#target.waitFor(async () => {
      for (const condition of unmet) if (await this.#holds(condition)) unmet.delete(condition);
      return unmet.size === 0;
    }, deadline - this.#target.now());
    return [...unmet];
  }

  /** The objects once nothing of them has changed for `quietMs`. */
  async #rest(kinds: readonly string[], quietMs: number, deadline: number): Promise<Listed[]> {
    const now = () => this.#target.now();
    let lists = await this.#listAll(kinds);
    for (let since = now(); now() < deadline && now() - since < quietMs;) {
      await this.#target.pass(LOOK_MS);
      const next = await this.#listAll(kinds);
      if (versionsOf(next) !== versionsOf(lists)) since = now();
      lists = next;
    }
    return lists;
  }

  async #holds({ path, at = '', equals, exists, status }: OracleCondition): Promise<boolean> {
    const answer = await this.#target.send({ method: 'GET', path });
    if (status !== undefined) return answer.status === status;
    const value = readPointer(answer.body, at);
    return exists === undefined ? JSON.stringify(value) === JSON.stringify(equals) : (value !== undefined) === exists;
  }

  #listAll(kinds: readonly string[]): Promise<Listed[]> {
    return Promise.all(
      kinds.map(async (kind) => {
        const [plural = '', version = '', group] = kind.split('/').toReversed();
        const root = group === undefined ? `/api/${version}` : `/apis/${group}/${version}`;
        const path = `${root}/namespaces/${this.#target.namespace}/${plural}`;
        const { body } = await this.#target.send({ method: 'GET', path });
        return { resource: group === undefined ? plural : `${plural}.${group}`, list: body as Listed['list'] };
      }),
    );
  }

  #tree(resource: string, list: Listed['list']): unknown {
    if (!list.items) return list;
    if (resource === 'events') return eventsByCause(list.items);
    const tree: Record<string, unknown> = {};
    for (const item of list.items) {
      let name = String(this.#normaliser.normalise(item.metadata.name));
      while (name in tree) name += "'";
      tree[name] = { apiVersion: list.apiVersion, kind: list.kind?.replace(/List$/, ''), ...item };
    }
    return tree;
  }
}

function versionsOf(lists: readonly Listed[]): string {
  return lists
    .filter(({ resource }) => resource !== 'events')
    .map(({ list }) => (list.items ?? []).map(({ metadata }) => metadata.uid + metadata.resourceVersion).join(','))
    .join(';');
}

function hasEvents(lists: readonly Listed[], awaited: Record<string, unknown>): boolean {
  const seen = eventsByCause(lists.find(({ resource }) => resource === 'events')?.list.items ?? []);
  return Object.entries(awaited).every(
    ([cause, messages]) => (seen[cause]?.length ?? 0) >= (messages as string[]).length,
  );
}

/** Events as their meaning: which object of Knative's, which reason, which messages. */
function eventsByCause(items: readonly Item[]): Record<string, string[]> {
  const causes: Record<string, string[]> = {};
  for (const { involvedObject, type, reason, message } of items as unknown as RecordedEvent[]) {
    if (!involvedObject.apiVersion?.includes('knative.dev/') || RACE.test(message)) continue;
    const cause = `${involvedObject.kind} ${involvedObject.name} ${type} ${reason}`;
    causes[cause] = [...new Set([...(causes[cause] ?? []), message])].sort();
  }
  return causes;
}

interface RecordedEvent {
  readonly involvedObject: { readonly apiVersion?: string; readonly kind: string; readonly name: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}
