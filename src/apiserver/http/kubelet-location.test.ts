import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { StatusError } from '#kube/status.ts';
import { logLocation, streamLocation } from '#apiserver/http/kubelet-location.ts';
import { Query } from '#apiserver/http/query.ts';

const podOf = (spec: Partial<Pod['spec']>) =>
  ({ metadata: { namespace: 'a', name: 'talk' }, spec: { nodeName: 'here', ...spec } }) as Pod;

const ONE = podOf({ containers: [{ name: 'app' }] });
const TWO = podOf({ containers: [{ name: 'app' }, { name: 'side' }], initContainers: [{ name: 'init' }] });
const NOWHERE = podOf({ containers: [{ name: 'app' }], nodeName: undefined });

type Where = (pod: Pod, query: Query) => string | undefined;
const stream =
  (subresource: string): Where =>
  (pod, query) =>
    streamLocation(pod, subresource, query);

const found: [where: Where, pod: Pod, query: string, location: string | undefined][] = [
  [logLocation, ONE, '', '/containerLogs/a/talk/app'],
  [logLocation, TWO, 'container=init&follow=true', '/containerLogs/a/talk/init?follow=true'],
  [logLocation, ONE, 'follow=false&previous=0&timestamps=1', '/containerLogs/a/talk/app?timestamps=true'],
  [
    logLocation,
    ONE,
    'tailLines=0&limitBytes=8&sinceTime=2026-01-01T00:00:00Z&pretty=true',
    '/containerLogs/a/talk/app?sinceTime=2026-01-01T00%3A00%3A00Z&tailLines=0&limitBytes=8',
  ],
  [logLocation, NOWHERE, '', undefined],
  [
    stream('exec'),
    ONE,
    'command=sh&command=-c&command=a+b&stdin=true&stdout=true&stderr=true&tty=false',
    '/exec/a/talk/app?input=1&output=1&error=1&command=sh&command=-c&command=a+b',
  ],
  [stream('attach'), TWO, 'container=side&stdout=1&tty=true&command=x', '/attach/a/talk/side?output=1&tty=1'],
  [stream('portforward'), TWO, '', '/portForward/a/talk'],
  [stream('portforward'), ONE, 'ports=80&ports=443', '/portForward/a/talk?port=80%2C443'],
];

for (const [where, pod, query, location] of found) {
  test(`${query || 'no query'} goes to ${location}`, () => {
    assert.equal(where(pod, new Query(query)), location);
  });
}

const refused: [where: Where, pod: Pod, query: string, code: number, message: string][] = [
  [logLocation, ONE, 'container=none', 400, 'container none is not valid for pod talk'],
  [stream('exec'), TWO, '', 400, 'a container name must be specified for pod talk, choose one of: [init app side]'],
  [stream('attach'), NOWHERE, '', 400, 'pod talk does not have a host assigned'],
  [stream('portforward'), NOWHERE, '', 400, 'pod talk does not have a host assigned'],
  [stream('portforward'), ONE, 'ports=web', 400, 'strconv.ParseInt: parsing "web": invalid syntax'],
  [logLocation, ONE, 'tailLines=few', 400, 'strconv.ParseInt: parsing "few": invalid syntax'],
  [
    logLocation,
    ONE,
    'tailLines=-1',
    422,
    'PodLogOptions "talk" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    logLocation,
    ONE,
    'limitBytes=0&sinceSeconds=0',
    422,
    'PodLogOptions "talk" is invalid: [limitBytes: Invalid value: 0: must be greater than 0, sinceSeconds: Invalid value: 0: must be greater than 0]',
  ],
  [
    logLocation,
    ONE,
    'stream=Both',
    422,
    'PodLogOptions "talk" is invalid: stream: Unsupported value: "Both": supported values: "All", "Stderr", "Stdout"',
  ],
];

for (const [where, pod, query, code, message] of refused) {
  test(`${query || 'no query'}: ${code} ${message}`, () => {
    assert.throws(
      () => where(pod, new Query(query)),
      (error) => error instanceof StatusError && error.code === code && error.message === message,
    );
  });
}
