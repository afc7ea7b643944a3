import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cIdentifierProblems,
  configKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  envVarNameProblems,
  httpHeaderNameProblems,
  labelValueProblems,
  pathSegmentProblems,
  percentProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from '#kube/names.ts';
import { recordedCases } from '#testing/recorded-http.ts';

type Check = (value: string) => string[];

const CHECKS: Readonly<Record<string, Check>> = {
  configmaps: dnsSubdomainProblems,
  deployments: dnsSubdomainProblems,
  services: dns1035LabelProblems,
  namespaces: dnsLabelProblems,
};

interface Refusal {
  readonly causes?: readonly { readonly field: string; readonly message: string }[];
}

test('names that a real API server refused are refused in the same words', () => {
  let rows = 0;
  for (const { path, body, expect } of recordedCases(/^names-invalid/).flatMap(({ steps }) => steps)) {
    const name = (body as { metadata: { name?: string } }).metadata.name ?? '';
    const { details } = expect.body as { details: Refusal };
    const cause = details.causes?.find(({ field }) => field === 'metadata.name');
    if (name === '' || cause === undefined) continue;
    const check = CHECKS[path.split('/').at(-1) ?? ''] as Check;
    assert.equal(cause.message, `Invalid value: ${JSON.stringify(name)}: ${check(name).join('')}`);
    rows += 1;
  }
  assert.ok(rows >= 8, `only ${rows}`);
});

test('what is well formed has no problems', () => {
  const rows: [Check, string[]][] = [
    [dnsLabelProblems, ['a', 'a-b', '1a', 'a'.repeat(63)]],
    [dnsSubdomainProblems, ['a.b', '1.2.3', `${'a'.repeat(200)}.b`]],
    [dns1035LabelProblems, ['a', 'a-1']],
    [qualifiedNameProblems, ['a', 'A_b.c-d', 'example.com/a', 'a'.repeat(63)]],
    [labelValueProblems, ['', 'A_b.c', 'a'.repeat(63)]],
    [configKeyProblems, ['a.b', '.hidden', '_', '-']],
    [envVarNameProblems, ['A', 'a b', '1', '{}', '~']],
    [cIdentifierProblems, ['_a', 'A1']],
    [portNameProblems, ['http', 'h2c', 'a-b']],
    [httpHeaderNameProblems, ['X-A', '1']],
    [percentProblems, ['0%', '250%']],
    [pathSegmentProblems, ['system:node', 'a..b', ' ']],
  ];
  for (const [check, values] of rows) for (const value of values) assert.deepEqual(check(value), [], value);
  assert.deepEqual([portNumberProblems(1), portNumberProblems(65_535)], [[], []]);
});

test('every problem is named', () => {
  const rows: [Check, string, string[]][] = [
    [dnsLabelProblems, 'a.b', ['must not contain dots']],
    [dnsLabelProblems, 'a'.repeat(64), ['must be no more than 63 characters']],
    [
      qualifiedNameProblems,
      '/',
      ['prefix part must be non-empty', 'name part must be non-empty', 'name part must consist of'],
    ],
    [qualifiedNameProblems, 'a/b/c', ['a qualified name must consist of']],
    [
      qualifiedNameProblems,
      `A/${'a'.repeat(64)}`,
      ['prefix part a lowercase RFC 1123 subdomain', 'name part must be no more than 63'],
    ],
    [labelValueProblems, '-', ['a valid label must be an empty string or consist of']],
    [configKeyProblems, '..', ["must not be '..'"]],
    [configKeyProblems, '..a', ["must not start with '..'"]],
    [configKeyProblems, 'a/b', ['a valid config key must consist of']],
    [envVarNameProblems, '', ['environment variable name must be non-empty']],
    [envVarNameProblems, 'a=b', ['a valid environment variable name must consist only of printable ASCII']],
    [envVarNameProblems, 'é', ['a valid environment variable name must consist only of printable ASCII']],
    [portNameProblems, 'way-too-long-port-name', ['must be no more than 15 characters']],
    [
      portNameProblems,
      '-8--',
      ['must contain at least one letter', 'must not contain consecutive', 'must not begin or end'],
    ],
    [pathSegmentProblems, 'a/b%', ["may not contain '/'", "may not contain '%'"]],
    [pathSegmentProblems, '..', ["may not be '..'"]],
  ];
  for (const [check, value, starts] of rows) {
    const problems = check(value);
    assert.equal(problems.length, starts.length, `${value}: ${problems.join(' | ')}`);
    for (const [index, start] of starts.entries()) assert.ok(problems[index]?.startsWith(start), start);
  }
  assert.deepEqual(portNumberProblems(0), ['must be between 1 and 65535, inclusive']);
});
