/** Reads the policy of an audit log from a document that somebody wrote. UNTRUSTED in form, as every file is. */
import { getMember, isObject } from '#base/json.ts';
import { type AuditPolicy, type GroupResources, LEVELS, type PolicyRule, STAGES } from '#kube/audit/policy.ts';
import { dnsSubdomainProblems } from '#kube/names.ts';
import { attempt, ParseError } from '#kube/parse-error.ts';

const API_VERSION = 'audit.k8s.io/v1';

/** A policy from its document, which has to be right to the last member: a rule that is misread hides something. */
export function parseAuditPolicy(document: unknown): AuditPolicy | ParseError {
  return attempt(() => read(document));
}

function read(document: unknown): AuditPolicy {
  const policy = membersOf(document, 'the policy', ['apiVersion', 'kind', 'metadata', ...GLOBAL_MEMBERS, 'rules']);
  if (policy['apiVersion'] !== API_VERSION || policy['kind'] !== 'Policy') {
    throw new ParseError(`it has to be a Policy of ${API_VERSION}`);
  }
  const { rules } = policy;
  if (!Array.isArray(rules) || rules.length === 0) throw new ParseError('rules: there has to be at least one');
  return { ...readGlobal(policy, ''), rules: rules.map((rule, position) => readRule(rule, `rules[${position}]`)) };
}

const GLOBAL_MEMBERS = ['omitStages', 'omitManagedFields'];
const RULE_LISTS = ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs'] as const;

function readRule(value: unknown, path: string): PolicyRule {
  const rule = membersOf(value, path, ['level', 'resources', ...GLOBAL_MEMBERS, ...RULE_LISTS]);
  const level = LEVELS.find((one) => one === rule['level']);
  if (level === undefined) throw new ParseError(`${path}.level: has to be one of ${LEVELS.join(', ')}`);
  const lists = Object.fromEntries(RULE_LISTS.flatMap((name) => entryOf(name, texts(rule, name, path))));
  const resources = listOf(rule, 'resources', path)?.map((one, at) => readResources(one, `${path}.resources[${at}]`));
  const read: PolicyRule = { level, ...lists, ...(resources ? { resources } : {}), ...readGlobal(rule, `${path}.`) };
  checkUrls(read, path);
  return read;
}

function readResources(value: unknown, path: string): GroupResources {
  const given = membersOf(value, path, ['group', 'resources', 'resourceNames']);
  const group = given['group'] ?? '';
  if (typeof group !== 'string' || (group !== '' && dnsSubdomainProblems(group).length > 0)) {
    throw new ParseError(`${path}.group: has to be the name of an API group, without a version`);
  }
  const resources = texts(given, 'resources', path) ?? [];
  const resourceNames = texts(given, 'resourceNames', path) ?? [];
  if (resourceNames.length > 0 && resources.length === 0) {
    throw new ParseError(`${path}.resourceNames: using resourceNames requires at least one resource`);
  }
  return { group, resources, resourceNames };
}

function checkUrls({ nonResourceURLs = [], resources = [], namespaces = [] }: PolicyRule, path: string): void {
  for (const url of nonResourceURLs) {
    if (url !== '*' && !url.startsWith('/')) {
      throw new ParseError(`${path}.nonResourceURLs: non-resource URL rules must begin with a '/' character`);
    }
    if (url.slice(0, -1).includes('*')) {
      const why = "non-resource URL wildcards '*' must be the final character of the rule";
      throw new ParseError(`${path}.nonResourceURLs: ${why}`);
    }
  }
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    const why = 'rules cannot apply to both regular resources and non-resource URLs';
    throw new ParseError(`${path}.nonResourceURLs: ${why}`);
  }
}

type Document = Readonly<Record<string, unknown>>;

function readGlobal(from: Document, path: string): Pick<AuditPolicy, 'omitStages' | 'omitManagedFields'> {
  const { omitManagedFields } = from;
  if (omitManagedFields !== undefined && typeof omitManagedFields !== 'boolean') {
    throw new ParseError(`${path}omitManagedFields: has to be true or false`);
  }
  const omitStages = texts(from, 'omitStages', path)?.map((stage) => {
    const known = STAGES.find((one) => one === stage);
    if (known === undefined) throw new ParseError(`${path}omitStages: allowed stages are ${STAGES.join(',')}`);
    return known;
  });
  return { ...(omitStages ? { omitStages } : {}), ...(omitManagedFields === undefined ? {} : { omitManagedFields }) };
}

function membersOf(value: unknown, path: string, known: readonly string[]): Document {
  if (!isObject(value)) throw new ParseError(`${path}: has to be an object`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ParseError(`${path}: unknown field ${JSON.stringify(unknown)}`);
  return value;
}

function listOf(from: Document, name: string, path: string): readonly unknown[] | undefined {
  const list = getMember(from, name) ?? undefined;
  if (list === undefined || Array.isArray(list)) return list;
  throw new ParseError(`${path}.${name}: has to be a list`);
}

function texts(from: Document, name: string, path: string): readonly string[] | undefined {
  return listOf(from, name, path)?.map((one) => {
    if (typeof one !== 'string') throw new ParseError(`${path}.${name}: has to be a list of texts`);
    return one;
  });
}

function entryOf<T>(name: string, value: T | undefined): [string, T][] {
  return value === undefined ? [] : [[name, value]];
}
