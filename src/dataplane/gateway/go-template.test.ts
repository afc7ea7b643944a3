import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate } from '#dataplane/gateway/go-template.ts';

const data = {
  Request: { Method: 'GET', RequestURI: '/a?b="c"', Header: { 'X-B3-Traceid': ['abc'], Multi: ['1', '2'] } },
  Response: { Code: 200, Latency: 0.25 },
  TraceID: '',
};

const CASES: readonly (readonly [string, string, string])[] = [
  ['text alone', 'plain { } text', 'plain { } text'],
  ['a field', '{{.Request.Method}}', 'GET'],
  ['numbers', '{{ .Response.Code }} {{.Response.Latency}}s', '200 0.25s'],
  ['js escapes', '{{js .Request.RequestURI}}', '/a?b\\u003D\\"c\\"'],
  ['html escapes', '{{html .Request.RequestURI}}', '/a?b=&#34;c&#34;'],
  ['index into a header gives its list', '{{index .Request.Header "X-B3-Traceid"}}', '[abc]'],
  ['several values', '{{index .Request.Header "Multi"}}', '[1 2]'],
  ['index twice', '{{index .Request.Header "Multi" 1}}', '2'],
  ['a header that is absent', '{{index .Request.Header "None"}}', '<no value>'],
  ['a pipeline', '{{.Request.RequestURI | js}}', '/a?b\\u003D\\"c\\"'],
  ['brackets', '{{js (index .Request.Header "Multi" 0)}}', '1'],
  ['printf', '{{printf "%s-%d" .Request.Method .Response.Code}}', 'GET-200'],
  ['trimming', 'a  {{- .Request.Method -}}  b', 'aGETb'],
  ['a comment', 'a{{/* nothing */}}b', 'ab'],
  ['an unknown field', '{{.Nope.Deeper}}', '<no value>'],
  ['an empty value', '[{{.TraceID}}]', '[]'],
];

for (const [name, template, expected] of CASES) {
  test(`template: ${name}`, () => {
    const compiled = compileTemplate(template);
    assert.ok(typeof compiled === 'function');
    assert.equal(compiled(data), expected);
  });
}

for (const template of [
  '{{if .A}}x{{end}}',
  '{{range .A}}{{end}}',
  '{{.A',
  '{{ $x := 1 }}',
  '{{nope .A}}',
  '{{.A .B}}',
]) {
  test(`template refused: ${template}`, () => {
    assert.ok(typeof compileTemplate(template) === 'object');
  });
}
