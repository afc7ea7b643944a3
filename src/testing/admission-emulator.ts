/**
 * The part of an API server that stands around admission, in memory and without a network, for tests of admission
 * alone: prune, fill in, mutate, check names and schema, validate, in the order of the real one. It knows creation and
 * merge patches of Knative's kinds and of ConfigMaps, which is all that the recorded cases need.
 */
import { clone, deepEqual, isObject } from '#base/json.ts';
import { uuid } from '#base/ids.ts';
import { type FieldError, requiredField } from '#kube/field-error.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import type { Kind } from '#kube/kind.ts';
import { configKeyProblems, dnsSubdomainProblems } from '#kube/names.ts';
import type { KubeObject } from '#kube/object.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { badRequest, invalid, StatusError } from '#kube/status.ts';
import type { Schema } from '#kube/schema.ts';
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
    const unknown = prune(kind.schema, object, '').sort();
    if (isStrict && unknown.length > 0) {
      const list = unknown.map((path) => `unknown field "${path}"`).join(', ');
      const what = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
      throw badRequest(`${what}: strict decoding error: ${list}`);
    }
    if (!isLenient) warnings.push(...unknown.map((path) => `unknown field "${path}"`));
    fillIn(kind.schema, object);
    return object;
  }

  #mutate(kind: Kind, context: AdmissionContext, object: Content): void {
    deny(mutate(kind, context, object), []);
    // The real server decodes what the webhook sent back, and so fills in once more.
    fillIn(kind.schema, object);
  }

  #admit(kind: Kind, context: AdmissionContext, object: Content, warnings: string[]): void {
    const errors = [...schemaErrors(kind.schema, object, ''), ...nameErrors(object)];
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

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Drops members that the schema does not know, in place; answers their paths. */
function prune(schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((entry, index) => prune(schema.items ?? schema, entry, `${path}[${index}]`));
  if (!isObject(value) || schema.type !== 'object') return [];
  const dropped: string[] = [];
  for (const name of Object.keys(value)) {
    const member = schema.properties?.[name];
    if (member) dropped.push(...prune(member, value[name], join(path, name)));
    else if (!schema.preserveUnknown) {
      delete value[name];
      dropped.push(join(path, name));
    }
  }
  return dropped;
}

/** Fills in the defaults of the schema, in place. */
function fillIn(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    for (const entry of value) fillIn(schema.items ?? schema, entry);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      if (member.default !== undefined) value[name] ??= member.default;
      fillIn(member, value[name]);
    }
  }
}

/** Missing members, lists that are none, and entries that have the same key. */
function schemaErrors(schema: Schema, value: unknown, path: string): FieldError[] {
  if (schema.type === 'list' && !Array.isArray(value)) {
    const shown = JSON.stringify(String(value));
    const message = `Invalid value: ${shown}: ${path} in body must be of type array: ${shown}`;
    return [{ field: path, reason: 'FieldValueTypeInvalid', message }];
  }
  if (Array.isArray(value)) {
    const inside = value.flatMap((entry, index) => schemaErrors(schema.items ?? schema, entry, `${path}[${index}]`));
    return [...inside, ...duplicates(schema, value, path)];
  }
  if (!isObject(value)) return [];
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined);
  const present = Object.entries(schema.properties ?? {}).filter(([name]) => value[name] !== undefined);
  return [
    ...missing.map((name) => requiredField(join(path, name))),
    ...present.flatMap(([name, member]) => schemaErrors(member, value[name], join(path, name))),
  ];
}

function duplicates(schema: Schema, entries: readonly unknown[], path: string): FieldError[] {
  const [key] = schema.listMapKeys ?? [];
  if (key === undefined) return [];
  const names = entries.map((entry) => (isObject(entry) ? entry[key] : undefined));
  return names.flatMap((name, index): FieldError[] => {
    if (names.indexOf(name) === index) return [];
    const message = `Duplicate value: map[string]interface {}{"${key}":${JSON.stringify(name)}}`;
    return [{ field: `${path}[${index}]`, reason: 'FieldValueDuplicate', message }];
  });
}
