/**
 * From serving.knative.dev/v1alpha1 to v1: what an old manifest means today, or what is wrong with it.
 *
 * On an object that is there already (it has a UID) the old members win over the new ones beside them: a client that
 * patches `runLatest` onto what it read, which shows a template, means its `runLatest`. In a manifest the two exclude
 * each other.
 */
import { isObject } from '#base/json.ts';
import { dns1035LabelProblems } from '#kube/names.ts';
import {
  disallowedField,
  expectedOneOf,
  type FieldErrors,
  fieldError,
  invalidValue,
  missingField,
  noErrors,
  outOfBounds,
  via,
} from '#knative/field-error.ts';

export type Json = Record<string, unknown>;

/** The new form, and what was wrong with the old one. */
export interface Converted {
  readonly value: Json;
  readonly errors: FieldErrors;
}

interface Conversion {
  /** The object exists, and old members win. */
  readonly isUpdate: boolean;
}

const MODES = ['runLatest', 'release', 'pinned', 'manual'] as const;

function member(object: Json, name: string): Json {
  const value = object[name];
  return isObject(value) ? value : {};
}

function without(object: Json, ...names: string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

export function serviceSpecToV1(spec: Json, conversion: Conversion): Converted {
  const set = MODES.filter((mode) => isObject(spec[mode]));
  const hasTemplate = spec['template'] !== undefined || spec['revisionTemplate'] !== undefined;
  const isMixed = set.length > 0 && (hasTemplate || spec['traffic'] !== undefined) && !conversion.isUpdate;
  if (set.length > 1 || isMixed) return failed(mixed(spec, set, hasTemplate));
  const [mode] = set;
  if (mode) return modeToV1(mode, member(spec, mode), conversion);
  if (!hasTemplate) return failed(expectedOneOf('neither', ['runLatest', 'release', 'pinned', 'template']));
  const { value, errors } = configurationSpecToV1(spec, conversion);
  const traffic = trafficToV1(spec['traffic']);
  return { value: { ...value, ...traffic.value }, errors: [...errors, ...traffic.errors] };
}

function mixed(spec: Json, set: readonly string[], hasTemplate: boolean): FieldErrors {
  const modes = hasTemplate ? [...set, 'template'] : set;
  const ofTraffic = spec['traffic'] === undefined ? noErrors : expectedOneOf('both', ['traffic', ...set]);
  return modes.length > 1 ? [...ofTraffic, ...expectedOneOf('both', modes)] : ofTraffic;
}

function failed(errors: FieldErrors): Converted {
  return { value: {}, errors };
}

function modeToV1(mode: (typeof MODES)[number], settings: Json, conversion: Conversion): Converted {
  if (mode === 'manual') return failed(disallowedField('manual'));
  const { value, errors } = configurationSpecToV1(member(settings, 'configuration'), conversion);
  const traffic = TRAFFIC[mode](settings);
  const all = [...via('configuration', errors), ...traffic.errors];
  return { value: { ...value, traffic: traffic.targets }, errors: via(mode, all) };
}

interface Traffic {
  readonly targets: readonly Json[];
  readonly errors: FieldErrors;
}

const LATEST_KEYWORD = '@latest';

const TRAFFIC: Record<'runLatest' | 'pinned' | 'release', (settings: Json) => Traffic> = {
  runLatest: () => ({ targets: [{ percent: 100, latestRevision: true }], errors: noErrors }),
  pinned: ({ revisionName }) => ({
    targets: [{ revisionName, percent: 100 }],
    errors: revisionName ? noErrors : missingField('revisionName'),
  }),
  release: releaseToTraffic,
};

/** One revision gets all, or two share; the latest one has a tag and no share. */
function releaseToTraffic(settings: Json): Traffic {
  const revisions = Array.isArray(settings['revisions']) ? settings['revisions'].map(String) : [];
  const percent = Number(settings['rolloutPercent'] ?? 0);
  const target = (name: string, share: number, tag: string): Json => {
    const subject = name === LATEST_KEYWORD ? { latestRevision: true } : { revisionName: name };
    return { ...subject, percent: share, tag };
  };
  const [current = '', candidate] = revisions;
  const split =
    candidate === undefined
      ? [target(current, 100, 'current')]
      : [target(current, 100 - percent, 'current'), target(candidate, percent, 'candidate')];
  const latest = { latestRevision: true, percent: 0, tag: 'latest' };
  return { targets: [...split, latest], errors: validateRelease(revisions, percent) };
}

function validateRelease(revisions: readonly string[], percent: number): FieldErrors {
  const count = revisions.length;
  const single = 'may not set rolloutPercent for a single revision';
  return [
    ...(count === 0 ? missingField('revisions') : noErrors),
    ...(count > 2 ? outOfBounds(count, [1, 2], 'revisions') : noErrors),
    ...revisions.flatMap((name, index) => {
      const problems = name === LATEST_KEYWORD ? [] : dns1035LabelProblems(name);
      const text = `not a DNS 1035 label: [${problems.join(' ')}]`;
      return problems.length === 0 ? noErrors : invalidValue(text, `revisions[${index}]`);
    }),
    ...(count < 2 && percent !== 0 ? fieldError(single, 'rolloutPercent') : noErrors),
    ...(percent < 0 || percent > 99 ? outOfBounds(percent, [0, 99], 'rolloutPercent') : noErrors),
  ];
}

export function configurationSpecToV1(spec: Json, conversion: Conversion): Converted {
  const { build, revisionTemplate, template } = spec;
  const ofBuild = build === undefined || build === null ? noErrors : disallowedField('build');
  const isMixed = isObject(revisionTemplate) && isObject(template) && !conversion.isUpdate;
  if (isMixed) return failed([...ofBuild, ...expectedOneOf('both', ['revisionTemplate', 'template'])]);
  const field = isObject(revisionTemplate) ? 'revisionTemplate' : 'template';
  const source = spec[field];
  if (!isObject(source)) return failed([...ofBuild, ...expectedOneOf('neither', ['revisionTemplate', 'template'])]);
  const { value, errors } = revisionSpecToV1(member(source, 'spec'), conversion);
  return { value: { template: { ...source, spec: value } }, errors: [...ofBuild, ...via(`${field}.spec`, errors)] };
}

const GONE_FROM_REVISION = ['container', 'concurrencyModel', 'servingState', 'buildName', 'buildRef', 'generation'];

export function revisionSpecToV1(spec: Json, { isUpdate }: Conversion): Converted {
  const { container, containers, concurrencyModel, buildRef } = spec;
  const hasContainers = Array.isArray(containers) && containers.length > 0;
  const isMixed = isObject(container) && hasContainers && !isUpdate;
  const subject = ['container', 'containers'];
  const errors = [
    ...(isMixed ? expectedOneOf('both', subject) : noErrors),
    ...(!isObject(container) && !hasContainers ? expectedOneOf('neither', subject) : noErrors),
    ...(buildRef === undefined || buildRef === null ? noErrors : disallowedField('buildRef')),
    ...validateConcurrencyModel(concurrencyModel),
  ];
  const value: Json = { ...without(spec, ...GONE_FROM_REVISION) };
  if (isObject(container)) value['containers'] = [container];
  if (concurrencyModel === 'Single') value['containerConcurrency'] ??= 1;
  return { value, errors };
}

function validateConcurrencyModel(model: unknown): FieldErrors {
  if (model === undefined || model === null || model === '' || model === 'Single' || model === 'Multi') return noErrors;
  return invalidValue(typeof model === 'string' ? model : JSON.stringify(model), 'concurrencyModel');
}

export function routeSpecToV1(spec: Json): Converted {
  return trafficToV1(spec['traffic']);
}

/** A target's `name` is its tag. */
function trafficToV1(traffic: unknown): Converted {
  if (!Array.isArray(traffic)) return { value: {}, errors: noErrors };
  const errors: FieldErrors[] = [];
  const targets = traffic.map((target: unknown, index) => {
    if (!isObject(target) || target['name'] === undefined) return target;
    const { name, tag } = target;
    const isMixed = Boolean(tag) && tag !== name;
    if (isMixed) errors.push(via(`traffic[${index}]`, expectedOneOf('both', ['name', 'tag'])));
    return { ...without(target, 'name'), tag: name };
  });
  return { value: { traffic: targets }, errors: errors.flat() };
}
