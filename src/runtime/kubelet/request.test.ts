import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeletError } from '#runtime/kubelet/errors.ts';
import { parseRequest } from '#runtime/kubelet/request.ts';

const paths: [url: string, expected: Record<string, string>][] = [
  ['/healthz', { type: 'health' }],
  [
    '/containerLogs/a/b/c?follow=true',
    { type: 'logs', namespace: 'a', pod: 'b', container: 'c', query: 'follow=true' },
  ],
  ['/exec/a/b/c?command=x', { type: 'exec', namespace: 'a', pod: 'b', container: 'c', query: 'command=x' }],
  ['/attach/a/b/c', { type: 'attach', namespace: 'a', pod: 'b', container: 'c', query: '' }],
  ['/portForward/a/b?port=80', { type: 'port-forward', namespace: 'a', pod: 'b', query: 'port=80' }],
  ['/exec/a%2Fb/c/d', { type: 'exec', namespace: 'a/b', pod: 'c', container: 'd', query: '' }],
];

for (const [url, expected] of paths) {
  test(`${url} is a request for ${expected['type']}`, () => {
    const { query, ...rest } = { query: new URLSearchParams(), ...parseRequest(url) };
    assert.deepEqual({ ...rest, query: query.toString() }, { query: '', ...expected });
  });
}

for (const url of [
  '',
  '/',
  '/exec',
  '/exec/a/b',
  '/exec/a/b/c/d',
  '/portForward/a/b/c',
  '/pods',
  '/toString/a/b/c',
  '/exec/%/b/c',
]) {
  test(`${JSON.stringify(url)} is no request`, () => {
    assert.throws(() => parseRequest(url), KubeletError);
  });
}
