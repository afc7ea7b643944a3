import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { typed } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { validatingWebhookConfigurationStrategy as strategy } from '#apiserver/strategies/webhooks/webhook-configuration.ts';

const context = { clock: systemClock, user: { name: 'u', groups: [] }, isDryRun: false, warn: () => {} };
const rule = { operations: ['CREATE'], apiGroups: ['a'], apiVersions: ['v1'], resources: ['x'] };
const webhook = {
  name: 'a.example.com',
  clientConfig: { url: 'https://example.com/x' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};

function problemsOf(...webhooks: object[]): string[] {
  const all = webhooks.map((changes) => ({ ...webhook, ...changes }));
  const rest = { metadata: { name: 'c' }, webhooks: all } as unknown as ValidatingWebhookConfiguration;
  const object = typed(ValidatingWebhookConfiguration, rest) as unknown as KubeObject;
  return (strategy.validate?.(object, context) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const at = 'webhooks[0]';
const url = (text: string) => ({ clientConfig: { url: text } });
const service = (changes: object) => ({ clientConfig: { service: { namespace: 'n', name: 's', ...changes } } });
const rules = (changes: object) => ({ rules: [{ ...rule, ...changes }] });

const rows: readonly [behaviour: string, changes: object, problems: string[]][] = [
  ['nothing is wrong', {}, []],
  ['a name with a capital', { name: 'A.example.com' }, [`${at}.name: Invalid value: "A.example.com": `]],
  ['no name', { name: '' }, [`${at}.name: Required value`]],
  ['a URL without a host', url('https:///x'), [`${at}.clientConfig.url: Invalid value: "": host must be specified`]],
  ['a URL with a user', url('https://u:p@h'), [`${at}.clientConfig.url: Invalid value: "u:p": user information`]],
  ['a URL with a query', url('https://h/?a=b'), [`${at}.clientConfig.url: Invalid value: "a=b": query parameters`]],
  ['a URL with a fragment', url('https://h/#a'), [`${at}.clientConfig.url: Invalid value: "a": fragments`]],
  [
    'a mere word for a URL',
    url('word'),
    [
      `${at}.clientConfig.url: Invalid value: "": 'https' is the only allowed URL scheme`,
      `${at}.clientConfig.url: Invalid value: "": host must be specified`,
    ],
  ],
  [
    'a URL that is none',
    url('https://h/%zz'),
    [`${at}.clientConfig.url: Required value: url must be a valid URL: parse`],
  ],
  [
    'URL and Service',
    { clientConfig: { url: 'https://h', service: {} } },
    [`${at}.clientConfig: Required value: exactly one`],
  ],
  [
    'a port that is none',
    service({ port: 70_000 }),
    [`${at}.clientConfig.service.port: Invalid value: 70000: port is not valid`],
  ],
  [
    'a path without a slash',
    service({ path: 'xy' }),
    [`${at}.clientConfig.service.path: Invalid value: "xy": must start with a '/'`],
  ],
  [
    'an empty segment',
    service({ path: '/a//b' }),
    [`${at}.clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty`],
  ],
  [
    'a path of two slashes',
    service({ path: '//' }),
    [`${at}.clientConfig.service.path: Invalid value: "//": segment[0] may not be empty`],
  ],
  [
    'rules without anything',
    { rules: [{}] },
    ['operations', 'apiGroups', 'apiVersions', 'resources'].map((name) => `${at}.rules[0].${name}: Required value`),
  ],
  [
    'a star beside others',
    rules({ operations: ['*', 'CREATE'], apiGroups: ['*', 'a'], apiVersions: ['*', 'v1'], resources: ['*', 'x'] }),
    [
      `${at}.rules[0].operations: Invalid value: []string{"*", "CREATE"}: if '*' is present, must not specify other operations`,
      `${at}.rules[0].apiGroups: Invalid value: []string{"*", "a"}: if '*' is present, must not specify other API groups`,
      `${at}.rules[0].apiVersions: Invalid value: []string{"*", "v1"}: if '*' is present, must not specify other API versions`,
      `${at}.rules[0].resources: Invalid value: []string{"*", "x"}: if '*' is present, must not specify other resources without`,
    ],
  ],
  [
    'all and more',
    rules({ resources: ['*/*', 'x/y'] }),
    [`${at}.rules[0].resources: Invalid value: []string{"*/*", "x/y"}: if '*/*'`],
  ],
  [
    'a part of what is meant already',
    rules({ resources: ['x/*', 'x/y'] }),
    [`${at}.rules[0].resources[1]: Invalid value: "x/y": if 'x/*'`],
  ],
  ['an unknown scope', rules({ scope: 'World' }), [`${at}.rules[0].scope: Unsupported value: "World"`]],
  [
    'the same version twice',
    { admissionReviewVersions: ['v1', 'v1'] },
    [`${at}.admissionReviewVersions[1]: Invalid value: "v1": duplicate version`],
  ],
  [
    'a selector that is none',
    { objectSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } },
    [`${at}.objectSelector.matchExpressions[0].operator: Invalid value: "Near"`],
  ],
];

describe('validation of webhooks', () => {
  for (const [behaviour, changes, wanted] of rows) {
    test(behaviour, () => {
      const problems = problemsOf(changes);
      assert.equal(problems.length, wanted.length, problems.join('\n'));
      wanted.forEach((text, position) => assert.ok(problems[position]?.startsWith(text), `${problems[position]}`));
    });
  }

  test('two of one name', () => {
    assert.deepEqual(problemsOf({}, {}), ['webhooks[1].name: Duplicate value: "a.example.com"']);
  });

  test('conditions need names of their own', () => {
    const conditions = ['a', 'a', ''].map((name) => ({ name, expression: 'true' }));
    assert.deepEqual(problemsOf({ matchConditions: conditions }), [
      `${at}.matchConditions[1].name: Duplicate value: "a"`,
      `${at}.matchConditions[2].name: Required value`,
    ]);
  });

  test('conditions are compiled', () => {
    const conditions = ['object.metadata.name', '', '1'].map((expression, at) => ({ name: `c${at}`, expression }));
    const problems = problemsOf({ matchConditions: conditions });
    assert.match(problems.join('\n'), /\[0\]\.expression: .*must evaluate to bool but got dyn\n/);
    assert.match(problems.join('\n'), /\[1\]\.expression: Required value\n/);
    assert.match(problems.join('\n'), /\[2\]\.expression: .*must evaluate to bool but got int$/);
  });
});
