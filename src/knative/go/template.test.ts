import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTemplate, struct } from '#knative/go/template.ts';

const data = struct('config.DomainTemplateValues', {
  Name: 'hello',
  Namespace: 'default',
  Domain: 'example.com',
  Annotations: { sub: 'blue' },
  Labels: {},
  Greet: (who: unknown) => `hi ${String(who)}`,
});

const rows: [string, string, string][] = [
  ['fields', '{{.Name}}.{{.Namespace}}.{{.Domain}}', 'hello.default.example.com'],
  ['spaces and trim markers', '{{ .Name }} {{- /* c */ -}} .{{- .Domain -}}\n', 'hello.example.com'],
  ['a key of a map', '{{.Annotations.sub}}', 'blue'],
  ['a key that a map lacks', '{{.Annotations.nope}}', '<no value>'],
  ['index', '{{index .Annotations "sub"}}-{{index .Annotations "nope"}}.', 'blue-.'],
  ['a pipe appends its value', '{{"sub" | index .Annotations | printf "%s!%q" "x"}}', 'x!"blue"'],
  ['parentheses', '{{(index .Annotations "sub") | print "<" }}', '<blue'],
  ['if, else if, else', '{{if .Labels}}l{{else if .Annotations}}a{{else}}n{{end}}', 'a'],
  ['with', '{{with .Annotations}}{{.sub}}{{$.Name}}{{end}}', 'bluehello'],
  ['functions', '{{if and .Name (eq .Name "hello" ) (not .Labels)}}{{len .Name}}{{end}}', '5'],
  ['js escapes', '{{js "a\\"<"}}', String.raw`a\"\u003C`],
  ['a function in the data', '{{.Greet "you"}}', 'hi you'],
  ['unclosed', '{{', 'template: t:1: unclosed action'],
  ['unclosed on line two', '\n{{.Name', 'template: t:2: unclosed action'],
  ['an unknown function', '{{nope .}}', 'template: t:1: function "nope" not defined'],
  ['an empty action', '{{}}', 'template: t:1: missing value for command'],
  ['no end', '{{if .Name}}x', 'template: t:1: unexpected EOF'],
  ['an end too many', 'x{{end}}', 'template: t:1: unexpected {{end}}'],
  ['range', '{{range .Labels}}{{end}}', 'template: t:1: range is not supported here'],
  [
    'a field that a struct lacks',
    '{{.Nope}}',
    'template: t:1:2: executing "t" at <.Nope>: can\'t evaluate field Nope in type config.DomainTemplateValues',
  ],
  [
    'too few operands',
    '{{index}}',
    'template: t:1:2: executing "t" at <index>: wrong number of args for index: want at least 1 got 0',
  ],
];

for (const [name, source, expected] of rows) {
  test(`template: ${name}`, () => {
    const template = parseTemplate('t', source);
    const result = template instanceof Error ? template : template.render(data);
    assert.equal(result instanceof Error ? result.message : result, expected);
  });
}
