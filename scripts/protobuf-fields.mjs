/**
 * Writes `src/apiserver/protobuf/fields.ts`: the numbers and types under which Kubernetes' protobuf has the fields of the
 * kinds that we serve. They are facts of the wire, read off the declarations of the Go modules k8s.io/api and
 * k8s.io/apimachinery, wherever those are:
 *
 *     node scripts/protobuf-fields.mjs FOLDER_OF_API FOLDER_OF_APIMACHINERY
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [api = '', machinery = ''] = process.argv.slice(2);
if (machinery === '') throw new Error('usage: protobuf-fields.mjs FOLDER_OF_API FOLDER_OF_APIMACHINERY');

/** Go package → our name for it, and its folder. */
const PACKAGES = {
  'k8s.io/apimachinery/pkg/apis/meta/v1': ['meta', path.join(machinery, 'pkg/apis/meta/v1')],
  'k8s.io/api/core/v1': ['core', path.join(api, 'core/v1')],
  'k8s.io/api/apps/v1': ['apps', path.join(api, 'apps/v1')],
  'k8s.io/api/batch/v1': ['batch', path.join(api, 'batch/v1')],
  'k8s.io/api/autoscaling/v1': ['autoscaling', path.join(api, 'autoscaling/v1')],
  'k8s.io/api/autoscaling/v2': ['autoscaling2', path.join(api, 'autoscaling/v2')],
  'k8s.io/api/coordination/v1': ['coordination', path.join(api, 'coordination/v1')],
  'k8s.io/api/discovery/v1': ['discovery', path.join(api, 'discovery/v1')],
  'k8s.io/api/events/v1': ['events', path.join(api, 'events/v1')],
  'k8s.io/api/authentication/v1': ['authentication', path.join(api, 'authentication/v1')],
  'k8s.io/api/authorization/v1': ['authorization', path.join(api, 'authorization/v1')],
  'k8s.io/api/policy/v1': ['policy', path.join(api, 'policy/v1')],
  'k8s.io/api/rbac/v1': ['rbac', path.join(api, 'rbac/v1')],
  'k8s.io/api/admissionregistration/v1': ['admissionregistration', path.join(api, 'admissionregistration/v1')],
};

/** Kinds by apiVersion; what they contain follows. */
const KINDS = [
  {
    apiVersion: 'v1',
    group: 'core',
    kinds: 'Binding ConfigMap Endpoints Event Namespace Node Pod ResourceQuota Secret Service ServiceAccount',
  },
  { apiVersion: 'apps/v1', group: 'apps', kinds: 'Deployment ReplicaSet' },
  { apiVersion: 'batch/v1', group: 'batch', kinds: 'Job' },
  { apiVersion: 'autoscaling/v1', group: 'autoscaling', kinds: 'HorizontalPodAutoscaler Scale' },
  { apiVersion: 'autoscaling/v2', group: 'autoscaling2', kinds: 'HorizontalPodAutoscaler' },
  { apiVersion: 'policy/v1', group: 'policy', kinds: 'PodDisruptionBudget' },
  { apiVersion: 'coordination.k8s.io/v1', group: 'coordination', kinds: 'Lease' },
  { apiVersion: 'discovery.k8s.io/v1', group: 'discovery', kinds: 'EndpointSlice' },
  { apiVersion: 'events.k8s.io/v1', group: 'events', kinds: 'Event' },
  {
    apiVersion: 'authentication.k8s.io/v1',
    group: 'authentication',
    kinds: 'SelfSubjectReview TokenRequest TokenReview',
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    group: 'authorization',
    kinds: 'LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview',
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    group: 'rbac',
    kinds: 'ClusterRole ClusterRoleBinding Role RoleBinding',
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    group: 'admissionregistration',
    kinds: 'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
  },
];

const SCALARS = {
  string: 'string',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  uint32: 'int',
  uint16: 'int',
  float64: 'double',
  '[]byte': 'bytes',
};
const SPECIAL = {
  'k8s.io/apimachinery/pkg/api/resource.Quantity': 'Quantity',
  'k8s.io/apimachinery/pkg/util/intstr.IntOrString': 'IntOrString',
  'k8s.io/apimachinery/pkg/runtime.RawExtension': 'RawExtension',
  'k8s.io/api/authentication/v1.ExtraValue': 'StringList',
  'k8s.io/api/authorization/v1.ExtraValue': 'StringList',
  'k8s.io/apimachinery/pkg/types.UID': 'string',
  'k8s.io/apimachinery/pkg/types.NodeName': 'string',
  'k8s.io/apimachinery/pkg/apis/meta/v1.Time': 'Time',
  'k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime': 'MicroTime',
  'k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1': 'FieldsV1',
};

/** Qualified Go name → its declaration: the fields of a struct, or the type that it is another name of. */
const declared = new Map();
for (const [goPackage, [, folder]] of Object.entries(PACKAGES)) {
  for (const file of readdirSync(folder).filter((name) => /^(?!.*_test|generated|zz_).*\.go$/.test(name))) {
    read(goPackage, readFileSync(path.join(folder, file), 'utf8'));
  }
}

function read(goPackage, text) {
  const imports = new Map(
    [...text.matchAll(/^\s*(?:import )?(\w+)? ?"([^"]+)"$/gm)].map(([, alias, name]) => [
      alias ?? path.basename(name),
      name,
    ]),
  );
  const qualify = (type) => {
    const [owner, name] = type.includes('.') ? type.split('.') : [undefined, type];
    if (owner !== undefined) return `${imports.get(owner)}.${name}`;
    return type in SCALARS ? type : `${goPackage}.${type}`;
  };
  for (const [, name, body] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    const fields = [...body.matchAll(/^\t(?:(\w+)\s+)?(\S+)\s+`([^`]*protobuf:[^`]*)`/gm)];
    declared.set(`${goPackage}.${name}`, { fields: fields.map(([, , type, tags]) => field(type, tags, qualify)) });
  }
  for (const [, name, type] of text.matchAll(/^type (\w+) (?!struct|interface|func)([\w[\].]+)$/gm)) {
    declared.set(`${goPackage}.${name}`, { alias: shape(type, qualify) });
  }
}

function field(goType, tags, qualify) {
  const [json = ''] = (/json:"([^"]*)"/.exec(tags)?.[1] ?? '').split(',');
  const [, number] = (/protobuf:"([^"]*)"/.exec(tags)?.[1] ?? '').split(',');
  return { json, number: Number(number), ...shape(goType, qualify) };
}

/** @returns how often a type stands, and which it is. */
function shape(goType, qualify) {
  if (goType === '[]byte') return { type: goType };
  if (goType.startsWith('*')) return { ...shape(goType.slice(1), qualify), isPointer: true };
  if (goType.startsWith('[]')) return { ...shape(goType.slice(2), qualify), isList: true };
  const map = /^map\[\w+\](.*)$/.exec(goType);
  if (map) return { ...shape(map[1], qualify), isMap: true };
  return { type: qualify(goType) };
}

/** Aliases followed to the end. */
function resolve(one) {
  if (one.type in SCALARS) return { ...one, name: SCALARS[one.type] };
  if (one.type in SPECIAL) return { ...one, name: SPECIAL[one.type] };
  const known = declared.get(one.type);
  if (known?.alias) return resolve({ ...one, ...known.alias });
  if (!known) throw new Error(`no declaration of ${one.type}`);
  const [goPackage, name] = [one.type.slice(0, one.type.lastIndexOf('.')), one.type.split('.').at(-1)];
  return { ...one, name: `${PACKAGES[goPackage][0]}.${name}`, isMessage: true };
}

const messages = new Map();
function collect(goName, name) {
  if (messages.has(name)) return;
  messages.set(name, '');
  const lines = declared.get(goName).fields.map((one) => {
    const found = resolve(one);
    if (found.isMessage) collect(found.type, found.name);
    const mark = found.isMap ? '{}' : found.isList ? '[]' : found.isPointer ? '?' : '';
    return `${found.number} ${found.json === '' ? '+' : found.json} ${found.name}${mark}`;
  });
  messages.set(name, lines.join(', '));
}

const kinds = [];
for (const { apiVersion, group, kinds: names } of KINDS) {
  const goPackage = Object.keys(PACKAGES).find((one) => PACKAGES[one][0] === group);
  for (const kind of names.split(' ')) {
    collect(`${goPackage}.${kind}`, `${group}.${kind}`);
    kinds.push([`${apiVersion}/${kind}`, `${group}.${kind}`]);
  }
}
for (const name of ['DeleteOptions', 'ListMeta', 'Status', 'PartialObjectMetadata'])
  collect(`k8s.io/apimachinery/pkg/apis/meta/v1.${name}`, `meta.${name}`);

const entries = [...messages]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, fields]) => `  '${name}':\n    '${fields}',`);
const text = `/**
 * Which number and type each field has in Kubernetes' protobuf. Written by \`scripts/protobuf-fields.mjs\`; do not edit.
 *
 * A message is a list of \`NUMBER NAME TYPE\`; the name is the one in JSON, \`+\` for fields that stand in the object itself.
 * After the type: \`[]\` repeated, \`{}\` a map with text as keys, \`?\` a field whose absence differs from its zero.
 */
/* oxlint-disable max-lines -- a table that a script writes */

/** \`apiVersion/kind\` → message. */
export const KIND_MESSAGES: Readonly<Record<string, string>> = {
${kinds.map(([kind, name]) => `  '${kind}': '${name}',`).join('\n')}
};

export const MESSAGES: Readonly<Record<string, string>> = {
${entries.join('\n')}
};
`;
writeFileSync(path.join(import.meta.dirname, '../src/apiserver/protobuf/fields.ts'), text);
