/**
 * The part of an API server that stands around admission, in memory and without a network, for tests of admission
 * alone: prune, fill in, mutate, check names and schema, validate, in the order of the real one. It knows creation and
 * merge patches of Knative's kinds and of ConfigMaps, which is all that the recorded cases need.
 */
import { clone, deepEqual, isObject } from '#base/json.ts';
import { uuid } from '#base/ids.ts';
import { fillDefaults } from '#kube/defaults.ts';
import { type FieldError, requiredField } from '#kube/field-error.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import type { Kind } from '#kube/kind.ts';
import { configKeyProblems, dnsSubdomainProblems } from '#kube/names.ts';
import type { KubeObject } from '#kube/object.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { pruneUnknown } from '#kube/prune.ts';
import { schemaErrors } from '#kube/schema-errors.ts';
import { badRequest, invalid, StatusError } from '#kube/status.ts';
import { formatTime } from '#kube/time.ts';
import { mutate, validate, validateConfigMapWrite, type Verdict } from '#knative/admission/admission.ts';
import type { AdmissionContext } from '#knative/admission/context.ts';
import { type KnativeConfig, parseKnativeConfig } from '#knative/config/all.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import type { OracleAnswer, OracleRequest } from '#testing/oracle.ts';
import { FakeClock } from '#testing/fake-clock.ts';

type Content = KubeObject & { spec?: unknown; status?: unknown };

interface Target {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly isDryRun: boolean;
  readonly isStrict: boolean;
  readonly isLenient: boolean;
}

const KINDS: readonly Kind[] = [...knativeKinds, ConfigMap];

export class AdmissionEmulator {
  readonly #objects = new Map<string, Content>();
  readonly #clock = new FakeClock();
  readonly #user: string;
  #config: KnativeConfig;

  constructor({ user, config = parseKnativeConfig([]) }: { user: string; config?: KnativeConfig }) {
    this.#user = user;
    this.#config = config;
  }

  set config(config: KnativeConfig) {
    this.#config = config;
  }

  /** Puts an object there as if a controller had made it. */
  store(object: Content): void {
    this.#objects.set(keyOf(object), this.#stamped(object));
  }

  /** Undefined for a request that is not admission's matter. */
  answer({ method, path, body }: OracleRequest): OracleAnswer | undefined {
    const target = targetOf(path);
    if (!target || !isObject(body)) return undefined;
    const warnings: string[] = [];
    try {
      if (method === 'POST') return answer(201, this.#create(target, body as unknown as Content, warnings), warnings);
      const old = this.#objects.get(`${target.kind.kind}/${target.namespace ?? ''}/${target.name}`);
      if (method !== 'PATCH' || !old) return undefined;
      return answer(200, this.#update(target, { old, patch: body }, warnings), warnings);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return answer(error.code, error.status, warnings);
    }
  }

  #create(target: Target, body: Content, warnings: string[]): Content {
    const { kind, namespace } = target;
    const object = this.#decode(target, body, warnings);
    const { metadata } = object;
    if (kind.namespaced) metadata.namespace = namespace;
    if (!metadata.name && metadata.generateName) metadata.name = `${metadata.generateName}bcdfg`;
    const context = { config: this.#config, operation: 'CREATE', user: this.#user } as const;
    this.#mutate(kind, context, object);
    delete object.status;
    if (kind.isCustom) metadata.generation = 1;
    this.#admit(kind, context, object, warnings);
    const stored = this.#stamped(object);
    if (!target.isDryRun) {
      stored.metadata.resourceVersion = '1';
      this.#objects.set(keyOf(stored), stored);
    }
    return stored;
  }

  #update(target: Target, { old, patch }: { old: Content; patch: unknown }, warnings: string[]): Content {
    const patched = applyMergePatch(old as unknown as Record<string, unknown>, patch) as unknown as Content;
    const object = this.#decode(target, patched, warnings);
    const context = { config: this.#config, operation: 'UPDATE', old, user: this.#user } as const;
    this.#mutate(target.kind, context, object);
    if (old.status === undefined) delete object.status;
    else object.status = clone(old.status);
    if (target.kind.isCustom && !deepEqual(object.spec, old.spec)) {
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    }
    this.#admit(target.kind, context, object, warnings);
    if (!target.isDryRun) this.#objects.set(keyOf(object), object);
    return object;
  }

  #decode({ kind, isStrict, isLenient }: Target, body: Content, warnings: string[]): Content {
    const object = clone(body);
    // What the URL says is what the object is.
    object.kind = kind.kind;
    object.metadata ??= {};
    const { value, unknownFields: unknown } = pruneUnknown(kind, object as unknown as Record<string, unknown>);
    const pruned = clone(value) as unknown as Content;
    if (isStrict && unknown.length > 0) {
      const list = unknown.map((path) => `unknown field "${path}"`).join(', ');
      const what = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
      throw badRequest(`${what}: strict decoding error: ${list}`);
    }
    if (!isLenient) warnings.push(...unknown.map((path) => `unknown field "${path}"`));
    fillDefaults(kind.schema, pruned);
    return pruned;
  }

  #mutate(kind: Kind, context: AdmissionContext, object: Content): void {
    deny(mutate(kind, context, object), []);
    // The real server decodes what the webhook sent back, and so fills in once more.
    fillDefaults(kind.schema, object);
  }

  #admit(kind: Kind, context: AdmissionContext, object: Content, warnings: string[]): void {
    const ofSchema = kind.isCustom ? schemaErrors(kind.schema, object) : [];
    const errors = [...ofSchema, ...nameErrors(object)];
    if (kind.kind === 'ConfigMap') errors.push(...keyErrors(object));
    if (errors.length > 0) throw invalid(kind, object.metadata.name ?? '', errors);
    if (kind.kind === 'ConfigMap') deny(validateConfigMapWrite(object), warnings);
    else deny(validate(kind, context, object), warnings);
  }

  #stamped(object: Content): Content {
    const stored = clone(object);
    stored.metadata.uid ??= uuid(this.#clock);
    stored.metadata.creationTimestamp = formatTime(this.#clock.now());
    return stored;
  }
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function targetOf(path: string): Target | undefined {
  const [route = '', query = ''] = path.split('?');
  const match = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/.exec(route);
  const [, group = '', version, namespace, plural, name] = match ?? [];
  const kind = KINDS.find((one) => one.group === group && one.version === version && one.plural === plural);
  if (!kind) return undefined;
  const parameters = new URLSearchParams(query);
  const validation = parameters.get('fieldValidation');
  const isDryRun = parameters.get('dryRun') === 'All';
  return { kind, namespace, name, isDryRun, isStrict: validation === 'Strict', isLenient: validation === 'Ignore' };
}

function answer(status: number, body: unknown, warnings: readonly string[]): OracleAnswer {
  const lines = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
  const headers = { 'content-type': 'application/json', ...(lines === '' ? {} : { warning: lines }) };
  return { status, headers, body };
}

function deny({ denied, warnings: given }: Verdict, warnings: string[]): void {
  warnings.push(...given);
  if (denied !== undefined) throw badRequest(denied);
}

function nameErrors({ metadata: { name, generateName } }: KubeObject): FieldError[] {
  if (!name) return [requiredField('metadata.name', 'name or generateName is required')];
  const errors: FieldError[] = [];
  const check = (field: string, value: string, problems: string[]) => {
    const invalidValue = `Invalid value: ${JSON.stringify(value)}`;
    for (const problem of problems) {
      errors.push({ field, reason: 'FieldValueInvalid', message: `${invalidValue}: ${problem}` });
    }
  };
  if (generateName)
    check('metadata.generateName', generateName, dnsSubdomainProblems(generateName.replace(/.-$/, 'a')));
  check('metadata.name', name, dnsSubdomainProblems(name));
  return errors;
}

function keyErrors({ data = {} }: ConfigMap): FieldError[] {
  return Object.keys(data).flatMap((key) => {
    return configKeyProblems(key).map((problem): FieldError => {
      const message = `Invalid value: ${JSON.stringify(key)}: ${problem}`;
      return { field: `data[${key}]`, reason: 'FieldValueInvalid', message };
    });
  });
}
